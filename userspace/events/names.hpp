// SPDX-License-Identifier: MIT
// Numbers of the binary interface <-> names in the files. A number without a name is written as a number.
#pragma once

#include <span>
#include <string_view>

#include "codec.hpp"

namespace brownout::events {

using Names = std::span<const std::string_view>; // index: number; empty: no name

extern const Names kEventKinds;
extern const Names kEventFlags; // index: bit
extern const Names kPhases;
extern const Names kTcpStates; // as network.connection.state of OpenTelemetry
extern const Names kEndings;
extern const Names kRcodes;
extern const Names kNameSources;
extern const Names kSnapshotStatuses;
extern const Names kDirections;
extern const Names kCaptureVerdicts;

std::string_view name_of(Names names, std::uint32_t number); // empty: none

OrderedJson encode_name(Names names, std::uint32_t number);
void decode_name(const Json& object, const char* key, Names names, std::uint32_t& into, Problem& problem);

void decode_flags(const Json& object, const char* key, Names names, std::uint32_t& into, Problem& problem);

}  // namespace brownout::events
