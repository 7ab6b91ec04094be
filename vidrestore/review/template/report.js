const data = JSON.parse(document.getElementById("data").textContent);
const kinds = Object.keys(data.kinds);
const find = id => document.getElementById(id);
const ROWS = 20, FLAGS = 25;
const begin = data.start, end = Math.max(data.end, data.start + 0.04);
let view = [begin, end], now = begin, rowPage = 0, flagPage = 0, chosen = null, track = null;

function described(flag) {
  return `${data.kinds[flag.kind].title}, track ${flag.track}, ${clock(flag.start)} to ${clock(flag.end)}`;
}
function labelled(parent, label, value) {
  const line = make("p");
  line.append(make("strong", {}, label + " "), value);
  parent.append(line);
  return line;
}

// Timeline
const flagsOf = new Map();
for (const flag of data.flags) {
  if (!flagsOf.has(flag.track)) flagsOf.set(flag.track, []);
  flagsOf.get(flag.track).push(flag);
}
let drawn = [];  // what the timeline shows besides the cursor
function drawTimeline() {
  const wanted = [...view, rowPage, chosen];
  if (drawn.length && wanted.every((value, i) => value === drawn[i]))
    timelineCursor(find("timeline").firstChild, view, now);
  else {
    drawn = wanted;
    drawRows();
  }
  find("now").textContent = `at ${clock(now)}`;
}
function drawRows() {
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.flag : undefined;
  const rows = data.rows.slice(rowPage * ROWS, (rowPage + 1) * ROWS).map(row => ({
    label: row.label,
    spans: row.tracks.map(id => [data.tracks[id].start, data.tracks[id].end,
      `track ${id}, ${clock(data.tracks[id].start)} to ${clock(data.tracks[id].end)}`]),
    flags: row.tracks.flatMap(id => flagsOf.get(id) || []).map(flag => ({start: flag.start, end: flag.end,
      class: `k${kinds.indexOf(flag.kind)}${flag === chosen ? " chosen" : ""}`, label: described(flag), flag: data.flags.indexOf(flag)})),
  }));
  const svg = timelineSvg({view, now, shots: data.shots, rows});
  find("timeline").replaceChildren(svg);
  if (focused !== undefined) {
    const again = svg.querySelector(`[data-flag="${focused}"]`);
    if (again) again.focus();
  }
  const pages = Math.max(1, Math.ceil(data.rows.length / ROWS));
  find("rows-page").textContent = `rows ${rowPage + 1} of ${pages}`;
  find("rows-back").disabled = rowPage === 0;
  find("rows-on").disabled = rowPage >= pages - 1;
}
function seek(time) {
  now = Math.min(Math.max(time, begin), end);
  if (now < view[0] || now > view[1]) {
    const half = (view[1] - view[0]) / 2;
    view = [Math.max(begin, now - half), Math.min(end, now + half)];
  }
  drawTimeline();
  drawPlots();
}
function zoom(factor) {
  const length = Math.min(end - begin, Math.max(0.2, (view[1] - view[0]) * factor));
  const start = Math.min(Math.max(begin, now - length / 2), end - length);
  view = [start, start + length];
  drawTimeline();
}
find("in").onclick = () => zoom(0.5);
find("out").onclick = () => zoom(2);
find("whole").onclick = () => { view = [begin, end]; drawTimeline(); };
find("rows-back").onclick = () => { rowPage--; drawTimeline(); };
find("rows-on").onclick = () => { rowPage++; drawTimeline(); };
const timeline = find("timeline");
timeline.addEventListener("click", event => {
  if (event.target.dataset.flag !== undefined) return choose(data.flags[event.target.dataset.flag]);
  const {time, row: number} = timelinePlace(timeline, event, view);
  if (time === null) return;
  const row = data.rows[rowPage * ROWS + number];
  const here = row && row.tracks.find(id => data.tracks[id].start <= time && time <= data.tracks[id].end);
  if (here) track = here;
  seek(time);
});
timeline.addEventListener("keydown", event => {
  const steps = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (steps) seek(now + steps * (view[1] - view[0]) / 100);
  else if (event.key === "+" || event.key === "=") zoom(0.5);
  else if (event.key === "-") zoom(2);
  else if ((event.key === "Enter" || event.key === " ") && event.target.dataset.flag !== undefined) choose(data.flags[event.target.dataset.flag]);
  else return;
  event.preventDefault();
});

// Flags
let listed = [];
function drawFlags() {
  if (!find("flags")) return;
  const pages = Math.max(1, Math.ceil(listed.length / FLAGS));
  find("flags").replaceChildren(...listed.slice(flagPage * FLAGS, (flagPage + 1) * FLAGS).map(flag => {
    const item = make("li"), button = make("button", {type: "button"});
    if (flag === chosen) button.setAttribute("aria-current", "true");
    const key = draw(button, "svg", {class: `key k${kinds.indexOf(flag.kind)}`, "aria-hidden": "true"});
    draw(key, "rect", {width: 12, height: 12});
    button.append(make("span", {}, data.kinds[flag.kind].title), make("span", {}, clock(flag.start)),
      make("span", {}, `track ${flag.track}, ${flag.value}`));
    button.onclick = () => choose(flag);
    item.append(button);
    return item;
  }));
  find("flags-page").textContent = `${flagPage + 1} of ${pages}`;
  find("flags-back").disabled = flagPage === 0;
  find("flags-on").disabled = flagPage >= pages - 1;
}
function list() {
  const kind = find("kind").value, order = find("order").value;
  listed = data.flags.filter(flag => !kind || flag.kind === kind);
  listed.sort(order === "start" ? (a, b) => a.start - b.start : (a, b) => b.severity - a.severity);
  flagPage = 0;
  drawFlags();
}
function drawDetail() {
  const detail = find("detail");
  detail.replaceChildren();
  if (!chosen) {
    detail.append(make("p", {class: "hint"}, data.flags.length ? "Choose a flag." : "There is nothing to look at here."));
    return;
  }
  const flag = chosen, kind = data.kinds[flag.kind];
  detail.append(make("h3", {}, `${kind.title}: track ${flag.track}, ${clock(flag.start)} to ${clock(flag.end)}`), make("p", {}, kind.about));
  if (flag.pictures && flag.pictures.length === 1)
    detail.append(make("img", {src: flag.pictures[0], class: "alone", alt: `${kind.title} at ${clock(flag.worst)}`}));
  else if (flag.pictures) detail.append(wipe(...flag.pictures, `${kind.title} at ${clock(flag.worst)}`));
  else detail.append(make("p", {class: "hint"}, "Pictures are kept of the severest flags of each kind."));
  labelled(detail, "Worst", `at ${clock(flag.worst)} (frame ${flag.frame}): ${flag.value}, in ${flag.frames} frame${flag.frames === 1 ? "" : "s"}`);
  labelled(detail, "Done", data.texts[flag.done]);
  labelled(detail, "To change", data.texts[flag.advice] + ":");
  const command = make("div", {class: "command"}), code = make("code", {}, data.texts[flag.command]);
  const copy = make("button", {type: "button"}, "copy");
  copy.onclick = () => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    copy.textContent = document.execCommand("copy") ? "copied" : "selected";
  };
  command.append(code, copy);
  detail.append(command);
}
// Makes a track the one that is plotted, and shows its row.
function show(id) {
  track = id;
  const row = data.rows.findIndex(each => each.tracks.includes(id));
  if (row >= 0) rowPage = Math.floor(row / ROWS);
}
function choose(flag) {
  chosen = flag;
  show(flag.track);
  const place = listed.indexOf(flag);
  if (place >= 0) flagPage = Math.floor(place / FLAGS);
  drawDetail();
  drawFlags();
  seek(flag.worst);
}
if (find("flags")) {
  find("kind").onchange = find("order").onchange = list;
  find("flags-back").onclick = () => { flagPage--; drawFlags(); };
  find("flags-on").onclick = () => { flagPage++; drawFlags(); };
  list();
}

// Plots
const NAMES = {w: "fidelity weight w", size: "size in pixels", sharpness: "sharpness", identity: "identity drift"};
function drawPlots() {
  const each = data.tracks[track], plots = find("plots");
  plots.replaceChildren();
  find("plotted").textContent = each ? `track ${track}` : "no track";
  if (!each) return;
  find("track").value = track;
  const [times, ...columns] = each.series;
  data.plotted.forEach((name, number) => {
    const values = columns[number], known = values.filter(value => value !== null);
    if (!known.length) return;
    const figure = make("figure"), svg = document.createElementNS(SVG, "svg");
    const high = Math.max(name === "size" ? 1 : name === "identity" ? 0.1 : 1, ...known);
    const range = `${Math.min(...known)} to ${Math.max(...known)}`;
    svg.setAttribute("viewBox", "0 0 400 90");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${NAMES[name]} of track ${track}: ${range}`);
    const length = Math.max(each.end - each.start, 0.04), across = time => 400 * (time - each.start) / length;
    let path = "", pen = "M";
    values.forEach((value, i) => {
      if (value === null) { pen = "M"; return; }
      path += `${pen}${across(times[i]).toFixed(1)} ${(86 - 82 * value / high).toFixed(1)}`;
      if (values.length === 1) path += "h400";
      pen = "L";
    });
    draw(svg, "path", {d: path});
    if (now >= each.start && now <= each.end) draw(svg, "line", {x1: across(now), x2: across(now), y1: 0, y2: 90, class: "cursor"});
    figure.append(svg, make("figcaption", {}, `${NAMES[name]}: ${range} (top of the plot: ${high})`));
    plots.append(figure);
  });
}
find("track").onchange = () => {
  const wanted = Number(find("track").value);
  if (!data.tracks[wanted]) return;
  show(wanted);
  seek(data.tracks[wanted].start);
};
for (const button of document.querySelectorAll(".strip button"))
  button.onclick = () => { show(Number(button.dataset.track)); seek(Number(button.dataset.time)); timeline.scrollIntoView({block: "nearest"}); };

track = data.rows.length ? data.rows[0].tracks[0] : null;
if (data.flags.length) choose(listed[0]);
else { drawDetail(); drawTimeline(); drawPlots(); }
