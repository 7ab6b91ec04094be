"use strict";
// Controls made from the server's table of options, and a place where a face is looked at.
let options = null; // what may be set, once the server has told

// A slider with its label and its value. ``change`` is called while it moves.
let slides = 0;
function slide(label, value, change, {min = 0, max = 1, step = 0.01, hint = ""} = {}) {
  const id = `slide-${++slides}`;
  const box = make("div", {class: "slide"}), output = make("output", {for: id});
  const range = make("input", {type: "range", min, max, step, value, id});
  const show = () => { output.textContent = step < 1 ? Number(range.value).toFixed(2) : range.value; };
  range.addEventListener("input", () => { show(); change(Number(range.value)); });
  show();
  box.append(make("label", {for: id}, label), output, range);
  if (hint) box.append(make("span", {class: "hint"}, hint));
  box.range = range;
  box.set = next => { range.value = next; show(); };
  return box;
}
function tick(label, checked, change) {
  const box = make("label", {class: "tick"}), input = make("input", {type: "checkbox"});
  input.checked = checked;
  input.addEventListener("change", () => change(input.checked));
  box.append(input, make("span", {}, label));
  box.input = input;
  return box;
}
// A control for an option of the table. ``values`` holds what is set.
function control(field, values) {
  const id = `option-${field.name}`;
  const box = make("div", {class: "field"});
  const set = value => { if (value === "" || value === false) delete values[field.name]; else values[field.name] = value; };
  let input;
  if (field.control === "switch") {
    input = make("input", {type: "checkbox", id});
    input.checked = values[field.name] === true || values[field.name] === "true";
    input.addEventListener("change", () => set(input.checked));
  } else if (field.control === "choice") {
    input = make("select", {id});
    if (field.default === null) input.append(make("option", {value: ""}, "default"));
    for (const choice of field.choices) input.append(make("option", {value: choice}, choice));
    input.value = values[field.name] ?? field.default ?? "";
    input.addEventListener("change", () => set(input.value === field.default ? "" : input.value));
  } else {
    input = make("input", {type: "text", id, autocomplete: "off", spellcheck: "false", placeholder: field.default ?? "default"});
    input.value = values[field.name] ?? "";
    input.addEventListener("change", () => set(input.value.trim()));
  }
  input.setAttribute("aria-describedby", `${id}-help`);
  const label = make("label", {for: id}, field.name.replaceAll("_", " "));
  label.append(" ", make("code", {}, field.flag));
  box.append(...(field.control === "switch" ? [input, label] : [label, input]), make("p", {class: "hint", id: `${id}-help`}, field.help));
  return box;
}
// The fold with every other option, in groups.
function advanced(kind, values, without) {
  const fold = make("details", {class: "fold"});
  fold.append(make("summary", {}, "Advanced"));
  const groups = new Map();
  for (const field of options[kind])
    if (!without.includes(field.name)) {
      if (!groups.has(field.group)) groups.set(field.group, []);
      groups.get(field.group).push(field);
    }
  for (const [name, fields] of groups) {
    const group = make("fieldset");
    group.append(make("legend", {}, name), ...fields.map(field => control(field, values)));
    fold.append(group);
  }
  return fold;
}
function chooser(label, choices, value, change) {
  const box = make("label", {class: "choose"}), select = make("select");
  for (const [name, text] of choices) select.append(make("option", {value: name}, text));
  select.value = value;
  select.addEventListener("change", () => change(select.value));
  box.append(make("span", {}, label), select);
  box.select = select;
  return box;
}
// Where a picture before and after is shown. ``address`` tells what to ask for; the newest question counts.
function lookAt(host, address) {
  let asking = false, again = false, shown = null;
  host.replaceChildren(make("p", {class: "hint", role: "status"}, "Loading the models …"));
  const note = make("p", {class: "hint note"});
  async function once() {
    const path = address();
    if (!path) return;
    host.setAttribute("aria-busy", "true");
    const answer = await ask("GET", path);
    if (path !== address()) return; // the slider has moved on
    if (!shown) {
      shown = wipe(answer.before, answer.after, "the face");
      host.replaceChildren(shown, note);
    } else {
      shown.querySelector(".before").src = answer.before;
      shown.querySelector(".after").src = answer.after;
    }
    shown.style.setProperty("aspect-ratio", `${answer.size[0]} / ${answer.size[1]}`);
    shown.style.setProperty("--shape", answer.size[0] / answer.size[1]);
    const left = answer.faces.filter(face => !face.restored).length, count = answer.faces.length;
    note.textContent = !count ? "No face was found here." :
      left === count ? `Left as ${count > 1 ? "they are" : "it is"}: ${answer.faces[0].text}.` :
      `${count > 1 ? `${count} faces: ` : ""}${answer.faces.map(face => face.text).slice(0, 3).join("; ")}${count > 3 ? "; …" : "."} Restored with ${answer.model}.` +
      (left ? ` ${left} of ${count} faces are left as they are.` : "");
    if (answer.run_model) note.textContent += ` A run first downloads ${answer.run_model}, and uses that if it can.`;
    if (answer.enlarged > 1) note.textContent += ` Enlarged ${answer.enlarged} times${answer.part ? "; a part is shown" : ""}.`;
    if (answer.enlarged < answer.upscale) note.textContent += ` The result is enlarged ${answer.upscale} times, which is too large to be shown.`;
  }
  async function run() {
    if (asking) { again = true; return; }
    asking = true;
    do {
      again = false;
      try { await once(); } catch (error) {
        shown = null;
        host.replaceChildren(make("p", {class: "hint"}, error.message));
      }
    } while (again);
    asking = false;
    host.removeAttribute("aria-busy");
  }
  return run;
}
