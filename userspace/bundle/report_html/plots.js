// The plots: one below the other, on one axis of time, zoomed and pointed at together.

// `right`: on an axis of its own; `dashed`: what was planned, beside what came of it.
const kPlots = [
  { id: "calls", title: "Calls", unit: "per second; in flight: how many, right axis", right: ["in flight"],
    colors: ["blue", "red", "grey"] },
  { id: "failures", title: "Failed calls by kind", unit: "in bins of about", bars: true,
    colors: ["red", "orange", "purple", "green", "grey"], own: { "recorded by the app": "sky" } },
  { id: "packets", title: "Injected packets", unit: "per second", dashed: ["delays decided", "drops planned"],
    colors: ["ink", "orange", "ink", "red"] },
  { id: "latency", title: "Latency of answered calls", unit: "ms", dashed: ["planned median"],
    colors: ["blue", "green", "grey", "ink"] },
  { id: "round_trip", title: "TCP round trip, smoothed", unit: "ms", colors: ["blue", "green"] },
  { id: "fingerprint", title: "The application's own counters", unit: "as it wrote them; error_count: right axis",
    right: ["error_count"], colors: ["blue", "green", "red"] },
];
// Legend and labels are our own: theirs are markup.
Dygraph.PLUGINS = [Dygraph.Plugins.Axes, Dygraph.Plugins.Grid];
// Of the labels at either side: plots without a right axis keep its room free, so that all have the same one below.
const kLabels = innerWidth < 640 ? 40 : 48;
const kRoom = kLabels + 11;
const kDigits = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function colorOf(plot, label, index) {
  return plot.own?.[label] ?? plot.colors[index % plot.colors.length];
}

function shown(value) {
  return value === null || value === undefined ? "\u2013" : kDigits.format(value);
}

const kSide = { axisLabelWidth: kLabels, pixelsPerLabel: 28, axisLabelFormatter: shown };

// Kinds stand beside each other in their bin.
function drawBars(event) {
  const { drawingContext: context, dygraph, points, seriesIndex, seriesCount } = event;
  const bin = dygraph.toDomXCoord(dygraph.binSeconds) - dygraph.toDomXCoord(0);
  const width = Math.max(1, (bin * 0.8) / seriesCount);
  context.globalAlpha = width > 1 ? 1 : 0.6; // where they overlap, none hides another
  const bottom = dygraph.toDomYCoord(0);
  context.fillStyle = event.color;
  for (const point of points) {
    if (!point.yval) continue;
    const left = point.canvasx - (width * seriesCount) / 2 + seriesIndex * width;
    context.fillRect(left, point.canvasy, width, bottom - point.canvasy);
  }
}

// The plots of one bundle.
class Plots {
  constructor(bundle, all) {
    this.bundle = bundle;
    this.all = all;
    this.graphs = [];
    this.chosen = null;
    const times = bundle.series.t;
    this.binSeconds = times.length > 1 ? (times[times.length - 1] - times[0]) / (times.length - 1) : 1;
    this.box = element("div", { class: "plots" });
    for (const plot of kPlots) {
      const series = bundle.series.plots[plot.id];
      if (series) this.add(plot, series);
    }
  }

  add(plot, series) {
    const labels = Object.keys(series);
    const figure = element("figure", { "data-plot": plot.id });
    figure.append(element("figcaption", {}, element("span", { class: "title" }, plot.title), " ",
      element("span", { class: "unit" }, plot.bars ? `${plot.unit} ${this.binSeconds.toFixed(1)} s` : plot.unit)));
    this.box.append(figure);
    if (labels.every((label) => series[label].every((value) => value === null))) {
      figure.append(element("p", { class: "empty" }, labels.length ? "Not in the evidence." : "None."));
      return;
    }
    const place = element("div", { class: "plot", role: "img", "aria-label": this.inWords(plot, series) });
    const legend = element("div", { class: "legend", role: "group", "aria-label": `Series of ${plot.title}` });
    figure.append(legend, place);
    this.graphs.push({ plot, labels, place, legend, series, values: [] });
  }

  inWords(plot, series) {
    const most = Object.entries(series).map(([label, values]) => {
      const known = values.filter((value) => value !== null);
      return known.length ? `${label} up to ${shown(known.reduce((a, b) => Math.max(a, b)))}` : `${label} unknown`;
    });
    return `${plot.title}, ${plot.unit}, over time: ${most.join(", ")}. The table below has them by phase.`;
  }

  draw() {
    for (const graph of this.graphs) this.drawOne(graph);
  }

  drawOne(graph) {
    const { plot, labels, place, series } = graph;
    const times = this.bundle.series.t;
    const rows = times.map((t, i) => [t, ...labels.map((label) => series[label][i])]);
    const options = Object.fromEntries(labels.map((label) => [label, {
      axis: plot.right?.includes(label) ? "y2" : "y1",
      strokePattern: plot.dashed?.includes(label) ? [5, 4] : plot.right?.includes(label) ? [1, 3] : null,
      strokeWidth: plot.dashed?.includes(label) ? 1.5 : 1.75,
    }]));
    const dygraph = new Dygraph(place, rows, {
      labels: ["t", ...labels],
      series: options,
      dateWindow: this.all.whole,
      interactionModel: this.all.interaction,
      includeZero: true,
      rightGap: plot.right ? 5 : kRoom,
      drawGapEdgePoints: true,
      pointSize: 1.5,
      highlightCircleSize: plot.bars ? 0 : 3,
      ...(plot.bars ? { plotter: drawBars } : {}),
      axes: {
        x: { axisLabelFormatter: (value) => `${shown(value).replace("-", "\u2212")} s`, pixelsPerLabel: 70 },
        y: { ...kSide },
        y2: { ...kSide, independentTicks: true, drawGrid: false },
      },
      underlayCallback: (context, area, drawn) => this.shade(context, area, drawn),
      drawCallback: (drawn) => this.all.zoomedBy(drawn),
      highlightCallback: (event, second, points, row) => this.all.pointAt(this, row),
      unhighlightCallback: () => this.all.pointAt(this, null),
      ...this.colors(plot, labels),
    });
    dygraph.binSeconds = this.binSeconds;
    graph.dygraph = dygraph;
    this.addLegend(graph);
  }

  colors(plot, labels) {
    return {
      colors: labels.map((label, i) => color(colorOf(plot, label, i))),
      gridLineColor: color("line"),
      axisLineColor: color("line"),
    };
  }

  recolor() {
    for (const { plot, labels, dygraph } of this.graphs) dygraph.updateOptions(this.colors(plot, labels));
  }

  addLegend(graph) {
    graph.labels.forEach((label, index) => {
      const value = element("output", { "aria-live": "off" });
      const sample = element("span", { class: "sample", "aria-hidden": "true" });
      sample.classList.toggle("dashed", graph.plot.dashed?.includes(label) ?? false);
      sample.classList.add(`c-${colorOf(graph.plot, label, index)}`);
      graph.values.push(value);
      graph.legend.append(button("", (event) => {
        const visible = !graph.dygraph.visibility()[index];
        graph.dygraph.setVisibility(index, visible);
        event.currentTarget.setAttribute("aria-pressed", String(visible));
      }, { "aria-pressed": "true" }));
      graph.legend.lastChild.append(sample, label, " ", value);
    });
  }

  shade(context, area, dygraph) {
    context.save();
    context.beginPath();
    context.rect(area.x, area.y, area.w, area.h);
    context.clip();
    for (const { phase, start, end } of this.bundle.axis.phases) {
      if (phase !== "inject") continue;
      const left = dygraph.toDomXCoord(start);
      context.fillStyle = color("shade");
      context.fillRect(left, area.y, dygraph.toDomXCoord(end) - left, area.h);
    }
    if (this.chosen !== null) {
      context.fillStyle = color("ink");
      context.fillRect(dygraph.toDomXCoord(this.chosen) - 0.75, area.y, 1.5, area.h);
    }
    context.restore();
  }

  select(row) {
    for (const { dygraph, labels, series, values } of this.graphs) {
      if (row === null) dygraph.clearSelection();
      else dygraph.setSelection(row);
      labels.forEach((label, i) => values[i].textContent = row === null ? "" : shown(series[label][row]));
    }
  }

  nearest(second) {
    const times = this.bundle.series.t;
    let best = 0;
    for (let i = 1; i < times.length; ++i) if (Math.abs(times[i] - second) < Math.abs(times[best] - second)) best = i;
    return best;
  }
}
