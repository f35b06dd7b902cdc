/* Draws the charts of the dashboards from the data beside them. Each is also a table, which stands
   open where this does not run. */
"use strict";

(() => {
  const INK = "#b3b8c5";
  const GRID = "#2a2f3c";
  const COLOURS = ["#f3b84b", "#7fd1c7", "#f39a8b", "#b9a5f2", "#b5d67a", "#8ab4f8"];
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 4], [1, 3]];
  const FONT = "12px system-ui, sans-serif";
  const ONE_DAY = 86_400;

  const plain = (value) => String(Number(value.toPrecision(4)));

  const tint = (colour) => `${colour}26`;

  const horizontal = (data) => {
    if (data.kind === "bars") return data.at.map((_, n) => n);
    if (data.are_days) return data.at.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
    return data.at.map(Number);
  };

  /* The columns uPlot wants, its series, and the bands between an interval's ends. */
  const columns = (data) => {
    const values = [horizontal(data)];
    const series = [{ label: data.across, value: (_, at) => nameOf(data, at) }];
    const bands = [];
    data.lines.forEach((line, n) => {
      const colour = COLOURS[n % COLOURS.length];
      const isBars = data.kind === "bars";
      if (line.low) {
        for (const end of [line.high, line.low]) {
          values.push(end);
          series.push({ label: "", show: true, stroke: "transparent", width: 0, points: { show: false }, isEnd: true });
        }
        if (!isBars) bands.push({ series: [series.length - 2, series.length - 1], fill: tint(colour) });
      }
      values.push(line.values);
      series.push({
        label: line.label,
        stroke: colour,
        width: 2,
        dash: isBars ? [] : DASHES[n % DASHES.length],
        fill: isBars ? `${colour}cc` : undefined,
        paths: isBars ? uPlot.paths.bars({ size: [0.6, 56], radius: 0.15 }) : undefined,
        points: { show: !isBars && line.values.filter((value) => value !== null).length < 40, size: 5, fill: colour },
        value: (_, __, ___, at) => line.labels[at] ?? "–",
        ends: line.low ? [line.low, line.high] : null,
      });
    });
    return { values, series, bands };
  };

  const nameOf = (data, at) => {
    if (at === null || at === undefined) return "";
    if (data.kind === "bars") return data.at[at] ?? "";
    if (data.are_days) return new Date(at * 1000).toISOString().slice(0, 10);
    return plain(at);
  };

  const ticks = (data, splits) =>
    splits.map((at) => {
      if (data.kind === "bars") return Number.isInteger(at) ? (data.at[at] ?? "") : "";
      if (data.are_days) return new Date(at * 1000).toISOString().slice(5, 10);
      return plain(at);
    });

  /* Whiskers over bars: an interval's ends. */
  const whiskers = (data) => ({
    hooks: {
      draw: (plot) => {
        const line = data.lines[0];
        if (data.kind !== "bars" || !line.low) return;
        const { ctx } = plot;
        ctx.save();
        ctx.strokeStyle = "#f5f2ea";
        ctx.lineWidth = 1.5 * devicePixelRatio;
        const half = 4 * devicePixelRatio;
        line.values.forEach((value, n) => {
          if (line.low[n] === null || line.high[n] === null || value === null) return;
          const x = plot.valToPos(n, "x", true);
          const [low, high] = [line.low[n], line.high[n]].map((end) => plot.valToPos(end, "y", true));
          ctx.beginPath();
          ctx.moveTo(x, low);
          ctx.lineTo(x, high);
          for (const y of [low, high]) {
            ctx.moveTo(x - half, y);
            ctx.lineTo(x + half, y);
          }
          ctx.stroke();
        });
        ctx.restore();
      },
    },
  });

  const options = (data, width, { series, bands }) => {
    const aside = data.are_days ? ONE_DAY : 1;
    const areWhole = !data.are_days && data.at.every((at) => Number.isInteger(at));
    const wanted = data.kind === "bars" ? data.at.map((_, n) => n) : undefined;
    return {
      width,
      height: Math.round(Math.min(280, Math.max(190, width * 0.5))),
      series,
      bands,
      plugins: [whiskers(data)],
      legend: { show: true, live: true },
      cursor: { y: false, points: { size: 7 } },
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
      scales: {
        x: {
          time: false,
          range: (_, low, most) => (data.kind === "bars" ? [-0.6, data.at.length - 0.4] : low === most ? [low - aside, most + aside] : [low, most]),
        },
        y: { range: [0, data.top] },
      },
      axes: [
        {
          stroke: INK,
          font: FONT,
          grid: { show: false },
          ticks: { stroke: GRID, size: 4 },
          space: data.kind === "bars" ? 1 : areWhole ? 30 : 56,
          ...(areWhole ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] } : {}),
          splits: wanted ? () => wanted : data.are_days ? (_, __, low, most) => days(low, most, width) : undefined,
          values: (_, splits) => shortened(ticks(data, splits), width),
          rotate: data.kind === "bars" && isCrowded(data, width) ? -35 : 0,
          size: data.kind === "bars" && isCrowded(data, width) ? 84 : 34,
        },
        {
          stroke: INK,
          font: FONT,
          grid: { stroke: GRID, width: 1 },
          ticks: { show: false },
          size: 62,
          splits: () => data.ticks.map((tick) => tick.at),
          values: () => data.ticks.map((tick) => tick.label),
        },
      ],
    };
  };

  const isCrowded = (data, width) => data.at.join("").length * 8 + data.at.length * 6 > width - 70;
  const shortened = (labels, width) => labels.map((label) => (label.length > 18 && width < 700 ? `${label.slice(0, 16)}…` : label));

  /* Midnights, no more than there is room for. */
  const days = (low, most, width) => {
    const step = Math.max(1, Math.ceil((most - low) / ONE_DAY / Math.max(2, Math.floor(width / 76)))) * ONE_DAY;
    const found = [];
    for (let day = most; day >= low; day -= step) found.unshift(day);
    return found;
  };

  const draw = (place) => {
    const data = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const made = columns(data);
    const plot = new uPlot(options(data, place.clientWidth, made), made.values, place);
    /* An interval's ends are in the table; in the legend they would be a row each. */
    plot.root.querySelectorAll(".u-legend .u-series").forEach((row, n) => {
      row.hidden = Boolean(made.series[n].isEnd);
    });
    return plot;
  };

  const close = () => document.querySelectorAll("details[data-numbers]").forEach((details) => details.removeAttribute("open"));

  const plots = new Map();
  const resized = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const plot = plots.get(target);
      const width = Math.floor(contentRect.width);
      if (plot && width && plot.width !== width) {
        plot.destroy();
        plots.set(target, draw(target));
      }
    }
  });

  if (typeof uPlot === "undefined") return;
  close();
  document.querySelectorAll("[data-chart]").forEach((place) => {
    plots.set(place, draw(place));
    resized.observe(place);
  });
})();

/* Escape puts an explanation away without moving the pointer. */
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest(".explain")) event.target.blur();
});
