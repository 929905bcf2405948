"use strict";
const byId = (id) => document.getElementById(id);
/** An element with text in it, never markup: what replicas say is not to be trusted. */
function make(name, text, ...children) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

function tell() {
  byId("title").textContent = story.title;
  byId("about").textContent = story.about;
  const kept = story.complete ? "" : " The page is full: what happened later is not in it.";
  byId("ending").textContent = `Ended: ${story.ending}${story.violation ? ", " + story.violation : ""}. Seed ${story.seed}, trace ${story.trace}.${kept}`;
  byId("ending").classList.toggle("failed", story.ending !== "pass");
  byId("expected").hidden = story.expected.length === 0;
  for (const [what, held, figure] of story.expected) {
    byId("expected").querySelector("table").append(make("tr", undefined, make("td", what), make("td", held ? "held" : "DID NOT HOLD"), make("td", figure)));
  }
}

function toggle(set, value, text, colour, count) {
  const box = make("input");
  box.type = "checkbox";
  box.checked = set.has(value);
  box.addEventListener("change", () => { if (box.checked) set.add(value); else set.delete(value); draw(); });
  const label = make("label", undefined, box, " ");
  if (colour) { const swatch = make("span"); swatch.className = "swatch"; swatch.style.background = colour; label.append(swatch); }
  label.append(text);
  if (count !== undefined) { const number = make("span", ` ${count}`); number.className = "count"; label.append(number); }
  return label;
}

function filters() {
  for (let replica = 0; replica < story.replicas; replica += 1) {
    byId("replicas").append(toggle(shown.replicas, replica, String(replica)));
  }
  story.kinds.forEach((kind, index) => {
    const count = story.messages.filter((message) => message[2] === index).length;
    byId("kinds").append(toggle(shown.kinds, index, kind, colourOf(index), count));
  });
  const lost = { has: () => shown.lost, add: () => { shown.lost = true; }, delete: () => { shown.lost = false; } };
  byId("lost").append(toggle(lost, true, "that nobody received", undefined, story.messages.filter(isLost).length));
  for (const [sort, [text, colour]] of Object.entries(SORTS)) {
    const count = story.marks.filter((mark) => mark[2] === sort).length;
    if (count) byId("marks").append(toggle(shown.sorts, sort, `${SHAPES[sort][0]} ${text}`, colour, count));
  }
  const all = (isOn) => {
    for (const box of byId("kinds").querySelectorAll("input")) if (box.checked !== isOn) box.click();
  };
  byId("kinds").querySelector("[data-all]").addEventListener("click", () => all(true));
  byId("kinds").querySelector("[data-none]").addEventListener("click", () => all(false));
}

function rowsOf(pairs) {
  return make("dl", undefined, ...pairs.flatMap(([term, text]) => [make("dt", term), make("dd", text)]));
}
function choose(chosen) {
  view.chosen = chosen;
  const parts = [];
  if (chosen.message) {
    const [from, to, kind, sent, arrived, length, content] = chosen.message;
    const pairs = [["from", `replica ${from}`], ["to", `replica ${to}`], ["sent", seconds(sent)]];
    if (arrived >= 0) pairs.push(["arrives", `${seconds(arrived)}, ${((arrived - sent) / 1000).toFixed(3)} ms later`]);
    pairs.push(["fate", fate(chosen.message)], ["length", `${length} bytes`]);
    parts.push(make("h2", story.kinds[kind]), rowsOf(pairs), make("pre", content < 0 ? "Its content was not kept: the page is full." : readable(story.contents[content])));
  } else {
    const [replica, at, sort, text] = chosen.mark;
    parts.push(make("h2", SORTS[sort][0]), rowsOf([["where", replica < 0 ? "the network" : `replica ${replica}`], ["when", seconds(at)]]), make("pre", text));
  }
  byId("details").replaceChildren(...parts);
  draw();
}

function distance(px, py, [[ax, ay], [bx, by]]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(px - ax - along * dx, py - ay - along * dy);
}
/** What is nearest to a point, marks before arrows: they are small. */
function nearest(px, py) {
  let [best, least] = [null, 8];
  for (const mark of visibleMarks()) {
    const [mx, my] = markAt(mark);
    const far = Math.hypot(px - mx, py - my + 4);
    if (far < least) [best, least] = [{ mark }, far];
  }
  if (best) return best;
  for (const message of visibleMessages()) {
    const far = distance(px, py, ends(message));
    if (far < least) [best, least] = [{ message }, far];
  }
  return best;
}
/** The next that is shown, or the one before, in the order of time. */
function step(by) {
  const at = (item) => (item.message ? item.message[3] : item.mark[1]);
  const all = [...story.messages.filter(isShown).map((message) => ({ message })), ...story.marks.filter(isMarkShown).map((mark) => ({ mark }))];
  all.sort((a, b) => at(a) - at(b));
  const same = (item) => view.chosen && item.message === view.chosen.message && item.mark === view.chosen.mark;
  const now = all.findIndex(same);
  const next = all[now < 0 ? all.findIndex((item) => at(item) >= view.from) : now + by];
  if (!next) return;
  if (at(next) < view.from || at(next) > view.to) { const half = (view.to - view.from) / 2; look(at(next) - half, at(next) + half); }
  choose(next);
}

function mouse() {
  let grip = null;
  diagram.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, time(Math.max(LEFT, event.offsetX)));
  }, { passive: false });
  diagram.addEventListener("pointerdown", (event) => { grip = { px: event.offsetX, from: view.from, to: view.to, moved: false }; diagram.setPointerCapture(event.pointerId); });
  diagram.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const by = ((grip.px - event.offsetX) / width()) * (grip.to - grip.from);
    if (Math.abs(event.offsetX - grip.px) > 3) grip.moved = true;
    if (grip.moved) look(grip.from + by, grip.to + by);
  });
  diagram.addEventListener("pointerup", (event) => {
    const found = grip && !grip.moved && nearest(event.offsetX, event.offsetY);
    grip = null;
    if (found) choose(found);
  });
  const jump = (event) => { if (event.buttons) { const at = (event.offsetX / overview.clientWidth) * story.lasted, half = (view.to - view.from) / 2; look(at - half, at + half); } };
  overview.addEventListener("pointerdown", jump);
  overview.addEventListener("pointermove", jump);
}

function keys() {
  const acts = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => look(0, story.lasted * (1 + ROOM)), ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25), n: () => step(1), p: () => step(-1) };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in acts)) return;
    acts[event.key]();
    event.preventDefault();
  });
  for (const [id, key] of [["in", "+"], ["out", "-"], ["fit", "0"], ["back", "ArrowLeft"], ["on", "ArrowRight"]]) byId(id).addEventListener("click", acts[key]);
  window.addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

tell();
filters();
mouse();
keys();
// A run that failed is looked at from its end, another from its start: a few hundred messages at once can be read.
const some = story.messages.length > 400 ? story.messages[400][3] : story.lasted;
const failedAt = story.violation ? story.messages[Math.max(0, story.messages.length - 300)]?.[3] ?? 0 : null;
if (failedAt === null) look(0, some); else look(failedAt, story.lasted + (story.lasted - failedAt) * ROOM);
