// What stands around the plots.

const kSections = [
  ["time", "What happened when"],
  ["moments", "Failures and the app's records"],
  ["latency", "Before, during and after"],
  ["injection", "What was injected"],
  ["ledger", "The kernel's own counts"],
  ["checks", "Checks"],
  ["environment", "Environment"],
];

function verdictOf(bundle) {
  const title = element("p", { class: "eyebrow" }, "brownout drill ", element("strong", {}, bundle.drill));
  const word = element("h1", { class: `verdict ${bundle.verdict}` }, bundle.verdict);
  const of = bundle.bundle === "-" ? "" : `${bundle.bundle} \u00b7 `; // evidence that was never sealed has no name
  const scope = element("p", { class: "scope" }, `${of}scope ${bundle.scope} \u00b7 ${bundle.completeness}`);
  const box = element("section", { class: "card", "aria-label": `Verdict: ${bundle.verdict}` }, title, word,
    element("p", { class: "phrase" }, bundle.phrase));
  if (bundle.partial) {
    box.append(element("p", { class: "partial" },
      "Partial: the drill's process ended before it could seal; brownout recover sealed what it had written."));
  }
  box.append(element("ul", { class: "reasons" }, ...bundle.reasons.map((reason) => element("li", {}, reason))));
  box.append(element("dl", { class: "headline" }, ...bundle.headline.map(({ label, value }) =>
    element("div", {}, element("dt", {}, label), element("dd", {}, value)))));
  box.append(scope);
  return box;
}

// Means and maxima of each series by phase: the plots as a table.
function figuresOf(bundle) {
  const phases = bundle.axis.phases.filter(({ phase }) => phase !== "settle");
  const table = { section: "time", caption: "The plots as figures: mean, and most, of each phase", when_empty: "None.",
    moments: false, note: "", left_out: 0, columns: ["plot", "series", ...phases.map(({ phase }) => phase)], rows: [] };
  for (const plot of kPlots) {
    for (const [label, values] of Object.entries(bundle.series.plots[plot.id] ?? {})) {
      table.rows.push([plot.title, label, ...phases.map(({ start, end }) => {
        const times = bundle.series.t;
        const inside = values.filter((value, i) => value !== null && times[i] >= start && times[i] < end);
        if (inside.length === 0) return "\u2013";
        const mean = inside.reduce((a, b) => a + b) / inside.length;
        return `${shown(mean)}, ${shown(inside.reduce((a, b) => Math.max(a, b)))}`;
      })]);
    }
  }
  return table;
}

// Figures and checks of two bundles that came out differently, or that only one of them has.
function differencesOf(bundles) {
  const said = bundles.map(({ headline, tables }) => new Map([
    ...headline.map(({ label, value }) => [label, value]),
    ...tables.find(({ section }) => section === "checks").rows
      .map(([outcome, name, measured]) => [`check ${name}`, `${outcome}: ${measured}`]),
  ]));
  const names = [...new Set(said.flatMap((each) => [...each.keys()]))];
  return { section: "difference", caption: "What differs", moments: false, note: "", left_out: 0,
    when_empty: "Nothing: every check came out alike, with the same figures.", columns: ["what", "A", "B"],
    rows: names.map((name) => [name, ...said.map((each) => each.get(name) ?? "not in this drill")])
      .filter(([, a, b]) => a !== b) };
}

function sectionOf(id, title, columns) {
  return element("section", { id, "aria-labelledby": `${id}-title`, tabindex: "-1" },
    element("h2", { id: `${id}-title` }, title), ...columns);
}

// One column for each bundle; which is which is said where there are two.
function columnsOf(bundles, make) {
  return element("div", { class: "columns" }, ...bundles.map((bundle, i) => {
    const name = `${"AB"[i]}: ${bundle.bundle === "-" ? bundle.drill : bundle.bundle}`;
    const which = bundles.length > 1 ? [element("p", { class: "which" }, name)] : [];
    return element("div", { class: "column" }, ...which, ...make(bundle, i));
  }));
}
