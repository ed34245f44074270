// The chart of the page of figures: bars of what was answered and missed, drawn by uPlot. The table below says the same.

import { find } from "./page.js";

const HEIGHT = 240;
const box = find("#grafico");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let plot = null;

function draw() {
  const { labels, answered, missed } = JSON.parse(box.dataset.chart);
  const every = Math.ceil((labels.length * 48) / box.clientWidth); // so that no label stands over the next one
  const places = labels.map((_, place) => place);
  const both = answered.map((count, place) => count + missed[place]);
  const bars = uPlot.paths.bars({ size: [0.7, 60] });
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const named = (label, name) => ({ label, stroke: colour(name), fill: colour(name), paths: bars, points: { show: false } });
  const options = {
    width: box.clientWidth - 40,
    height: HEIGHT,
    cursor: { show: false },
    scales: { x: { time: false, range: [-0.6, labels.length - 0.4] }, y: { range: (_, __, most) => [0, Math.max(4, most)] } },
    axes: [
      { ...axis, splits: () => places, values: (_, all) => all.map((place) => (place % every ? "" : labels[place] ?? "")), grid: { show: false } },
      { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
    ],
    // The sum stands behind, so that what was missed stands on top of what was answered.
    series: [{}, named(box.dataset.missed, "--warn"), named(box.dataset.answered, "--good")],
    legend: { live: false },
  };
  plot?.destroy();
  plot = new uPlot(options, [places, both, answered], box);
}

draw();
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
const print = find("[data-print]");
print.hidden = false;
print.addEventListener("click", () => window.print());
