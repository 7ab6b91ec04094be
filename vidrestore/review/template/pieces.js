"use strict";
// Pieces that the report and the page share: small helpers, the timeline, and two pictures under a slider.
const SVG = "http://www.w3.org/2000/svg";
const TIMELINE = {row: 22, left: 130, top: 34, width: 1200, narrow: 3};

function clock(seconds) {
  const hundredths = Math.round(seconds * 100), minutes = Math.floor(hundredths / 6000);
  const rest = ((hundredths % 6000) / 100).toFixed(2).padStart(5, "0");
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}
function make(name, attributes = {}, text = "") {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}
function draw(parent, name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

// The timeline as an SVG: ``shots`` are [id, start, end]; each row has a ``label``, ``spans`` [start, end, title]
// in which it is present, and ``flags`` with start, end, class, label and the value of data-flag.
function timelineSvg({view, now, shots, rows}) {
  const {row: ROW, left: LEFT, top: TOP, width: WIDTH, narrow: NARROW} = TIMELINE;
  const x = time => LEFT + (WIDTH - LEFT) * (time - view[0]) / (view[1] - view[0]);
  const box = (start, stop) => {
    const left = Math.max(LEFT, x(start)), right = Math.min(WIDTH, x(stop));
    return right < LEFT || left > WIDTH ? null : [left, Math.max(right - left, NARROW)];
  };
  const height = TOP + ROW * rows.length + 6;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800].find(s => (view[1] - view[0]) / s <= 12) || 3600;
  for (let time = Math.ceil(view[0] / step) * step; time < view[1]; time += step)
    if (x(time) < WIDTH - 50) draw(svg, "text", {x: x(time) + 2, y: 12}, clock(time).replace(/\.00$/, ""));
  draw(svg, "text", {x: 4, y: 28}, "shots");
  // Shots too narrow to be seen are drawn as one, so that a film of thousands of shots is drawn quickly.
  for (let first = 0, number = 0; first < shots.length; number++) {
    const start = shots[first][1];
    let last = first, next;
    for (;; last++) {
      next = last + 1 < shots.length ? shots[last + 1][1] : shots[last][2] + 0.04;
      if (last + 1 === shots.length || x(next) - x(start) >= NARROW) break;
    }
    const ids = first === last ? `shot ${shots[first][0]}` : `shots ${shots[first][0]} to ${shots[last][0]}`;
    const place = box(start, next), stop = shots[last][2];
    first = last + 1;
    if (!place) continue;
    const rect = draw(svg, "rect", {x: place[0], y: 18, width: place[1], height: 12, class: number % 2 ? "shot odd" : "shot"});
    draw(rect, "title", {}, `${ids}, ${clock(start)} to ${clock(stop)}`);
  }
  rows.forEach((row, number) => {
    const top = TOP + number * ROW;
    draw(svg, "text", {x: 4, y: top + 14}, row.label.length > 17 ? row.label.slice(0, 16) + "…" : row.label);
    for (const [start, stop, title] of row.spans) {
      const place = box(start, stop);
      if (place) draw(draw(svg, "rect", {x: place[0], y: top + 8, width: place[1], height: 6, class: "present"}), "title", {}, title);
    }
    for (const flag of row.flags) {
      const place = box(flag.start, flag.end);
      if (!place) continue;
      const span = draw(svg, "rect", {x: place[0], y: top + 2, width: place[1], height: 18, rx: 2, tabindex: 0,
        role: "button", class: `span ${flag.class}`, "aria-label": flag.label});
      span.dataset.flag = flag.flag;
      draw(span, "title", {}, flag.label);
    }
  });
  timelineCursor(svg, view, now);
  return svg;
}
// Puts the line at the time ``now`` into a timeline that shows ``view``.
function timelineCursor(svg, view, now) {
  const {left: LEFT, width: WIDTH} = TIMELINE, place = LEFT + (WIDTH - LEFT) * (now - view[0]) / (view[1] - view[0]);
  svg.querySelector(".cursor")?.remove();
  if (now >= view[0] && now <= view[1])
    draw(svg, "line", {x1: place, x2: place, y1: 14, y2: svg.viewBox.baseVal.height, class: "cursor"});
}
// Where a click into a timeline is: its time, null left of it, and the number of its row.
function timelinePlace(host, event, view) {
  const {row: ROW, left: LEFT, top: TOP, width: WIDTH} = TIMELINE;
  const at = host.querySelector("svg").getBoundingClientRect(), place = (event.clientX - at.left) / at.width * WIDTH;
  return {
    time: place < LEFT ? null : view[0] + (place - LEFT) / (WIDTH - LEFT) * (view[1] - view[0]),
    row: Math.floor(((event.clientY - at.top) / at.width * WIDTH - TOP) / ROW),
  };
}
// Two pictures, one over the other up to a line that moves with the mouse, a finger or the arrow keys.
function wipe(before, after, what) {
  const frame = make("div", {class: "slider"});
  const range = make("input", {type: "range", min: 0, max: 100, value: 50, step: 1, "aria-label": "Divide input and result"});
  const move = () => {
    frame.style.setProperty("--cut", range.value + "%");
    range.setAttribute("aria-valuetext", `${range.value} % input, ${100 - range.value} % result`);
  };
  range.addEventListener("input", move);
  frame.append(make("img", {src: before, class: "before", alt: `input, ${what}`}), make("img", {src: after, class: "after", alt: `result, ${what}`}),
    make("div", {class: "rule"}), make("span", {class: "l"}, "input"), make("span", {class: "r"}, "result"), range);
  move();
  return frame;
}
