// The page: verdict first, then the plots, then the tables.

const kBeside = 10; // seconds shown on either side of a moment

class Report {
  constructor(bundles) {
    this.bundles = bundles;
    this.whole = this.wholeRange();
    this.range = this.whole;
    this.interaction = this.interactionModel();
    this.settling = false;
    this.cameFrom = null;
    this.status = element("p", { class: "status", role: "status" });
    this.back = button("Back to the list", () => this.cameFrom?.focus(), { hidden: "" });
  }

  wholeRange() {
    const times = this.bundles.flatMap(({ series }) => [series.t[0], series.t[series.t.length - 1]])
      .filter((t) => t !== undefined);
    const edges = this.bundles.flatMap(({ axis }) => axis.phases.flatMap(({ start, end }) => [start, end]));
    const all = [...times, ...edges];
    return all.length ? [Math.min(...all), Math.max(...all)] : [0, 1];
  }

  // On a touch screen a finger scrolls the page; the buttons zoom.
  interactionModel() {
    const model = { ...Dygraph.defaultInteractionModel };
    for (const name of ["touchstart", "touchmove", "touchend", "touchcancel", "dblclick"]) delete model[name];
    model.dblclick = () => this.zoom(this.whole);
    return model;
  }

  show() {
    document.title = `${this.bundles.map(({ verdict, drill }) => `${verdict}: ${drill}`).join(" / ")} \u2013 brownout`;
    document.body.classList.toggle("two", this.bundles.length > 1);
    document.getElementById("verdict").append(columnsOf(this.bundles, (bundle) => [verdictOf(bundle)]));
    // What happened is to be seen before the rest is drawn.
    requestAnimationFrame(() => setTimeout(() => this.showRest()));
  }

  showRest() {
    const main = document.getElementById("main");
    this.plots = this.bundles.map((bundle) => new Plots(bundle, this));
    if (this.bundles.length > 1) {
      main.append(sectionOf("difference", "A against B", [tableOf(differencesOf(this.bundles), null, null)]));
    }
    for (const [id, title] of kSections) {
      const columns = id === "time" ? this.timeColumns() : this.tableColumns(id);
      if (columns.length) main.append(sectionOf(id, title, columns));
    }
    const links = [...main.querySelectorAll("section")].map((section) =>
      element("li", {}, element("a", { href: `#${section.id}` }, section.querySelector("h2").textContent)));
    document.getElementById("contents").append(element("ul", {}, ...links));
    for (const plots of this.plots) plots.draw();
    this.zoom(this.whole);
    this.followScheme();
    this.followPrint();
    document.documentElement.dataset.ready = "";
  }

  timeColumns() {
    const step = (factor, shift) => () => {
      const [from, to] = this.range;
      const half = ((to - from) / 2) * factor;
      const middle = (from + to) / 2 + shift * (to - from);
      this.zoom([middle - half, middle + half]);
    };
    const inject = this.bundles[0].axis.phases.find(({ phase }) => phase === "inject");
    const tools = [button("All", () => {
      this.choose(null, null);
      this.zoom(this.whole);
    })];
    if (inject) tools.push(button("Injection", () => this.zoom([inject.start - 2, inject.end + 2])));
    tools.push(button("Closer", step(0.5, 0)), button("Wider", step(2, 0)), button("Earlier", step(1, -0.5)),
      button("Later", step(1, 0.5)), this.back);
    const about = `Seconds since ${inject ? "the injection began; its window is shaded" : "the first sample"}. ` +
      "Drag in a plot to zoom all of them; double click for the whole run. A series' name shows and hides it.";
    return [element("p", { class: "note" }, about),
      element("div", { class: "tools", role: "toolbar", "aria-label": "What the plots show" }, ...tools, this.status),
      columnsOf(this.bundles, (_, i) => [this.plots[i].box]),
      element("details", {}, element("summary", {}, "The plots as a table"),
        columnsOf(this.bundles, (bundle) => [tableOf(figuresOf(bundle), bundle.axis, null)]))];
  }

  tableColumns(id) {
    if (!this.bundles.some(({ tables }) => tables.some(({ section }) => section === id))) return [];
    return [columnsOf(this.bundles, (bundle, i) => bundle.tables.filter(({ section }) => section === id)
      .map((table) => tableOf(table, bundle.axis, (second, from) => this.jump(i, second, from))))];
  }

  zoom([from, to]) {
    const least = 1;
    const [first, last] = this.whole;
    const width = Math.min(Math.max(to - from, least), last - first);
    const start = Math.min(Math.max(from, first), last - width);
    this.range = [start, start + width];
    this.settling = true;
    for (const plots of this.plots) {
      for (const { dygraph } of plots.graphs) {
        if (dygraph.isZoomed("y")) dygraph.resetZoom();
        dygraph.updateOptions({ dateWindow: this.range });
      }
    }
    this.settling = false;
    for (const plots of this.plots) this.pointAt(plots, null);
  }

  zoomedBy(dygraph) {
    const range = dygraph.xAxisRange();
    if (!this.settling && this.plots && (range[0] !== this.range[0] || range[1] !== this.range[1])) this.zoom(range);
  }

  say(text) {
    const chosen = this.plots.find((plots) => plots.chosen !== null);
    const shown = chosen
      ? `At ${seconds(chosen.chosen, 2)}, ${utc(chosen.bundle.axis, chosen.chosen)}`
      : `${seconds(this.range[0])} to ${seconds(this.range[1])}`;
    this.status.textContent = text ?? shown;
  }

  // Where nothing is pointed at, the chosen moment is, if there is one.
  pointAt(plots, row) {
    plots.select(row ?? (plots.chosen === null ? null : plots.nearest(plots.chosen)));
    if (row === null) return this.say();
    const second = plots.bundle.series.t[row];
    this.say(`${seconds(second)}, ${utc(plots.bundle.axis, second)}`);
  }

  choose(index, second) {
    this.plots.forEach((plots, i) => {
      plots.chosen = i === index ? second : null;
      this.pointAt(plots, null);
    });
  }

  jump(index, second, from) {
    this.choose(index, second);
    this.zoom([second - kBeside, second + kBeside]);
    this.cameFrom = from;
    this.back.hidden = false;
    document.getElementById("time").scrollIntoView();
    this.back.focus({ preventScroll: true });
  }

  followScheme() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.plots.forEach((plots) => plots.recolor()));
  }

  // A canvas has the size it was drawn in: on paper that is the paper's, in the colours of daylight.
  followPrint() {
    const redraw = (printing) => {
      document.documentElement.classList.toggle("printing", printing);
      for (const plots of this.plots) {
        plots.recolor();
        for (const { dygraph } of plots.graphs) dygraph.resize();
      }
    };
    addEventListener("beforeprint", () => redraw(true));
    addEventListener("afterprint", () => redraw(false));
  }
}

new Report(JSON.parse(document.getElementById("data").textContent)).show();
