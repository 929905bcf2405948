"use strict";
const LEFT = 128, TOP = 34, ROW = 84, BOTTOM = 26;
const diagram = document.getElementById("diagram");
const overview = document.getElementById("overview");
/** The part of the run that is seen, and what is chosen in it. */
const view = { from: 0, to: story.lasted, chosen: null };

const rows = () => [...shown.replicas].sort((a, b) => a - b);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const width = () => diagram.clientWidth - LEFT - 12;
const x = (at) => LEFT + ((at - view.from) / (view.to - view.from)) * width();
const time = (px) => view.from + ((px - LEFT) / width()) * (view.to - view.from);
const y = (replica) => TOP + ROW / 2 + rows().indexOf(replica) * ROW;

/** A little room after the end, so that what happened last can be read. */
const ROOM = 0.07;
function look(from, to) {
  const span = Math.max(200, Math.min(to - from, story.lasted * (1 + ROOM)));
  view.from = Math.max(0, Math.min(from, story.lasted - span * (1 - ROOM)));
  view.to = view.from + span;
  draw();
}
const zoom = (factor, at = (view.from + view.to) / 2) => look(at - (at - view.from) * factor, at + (view.to - at) * factor);
const move = (part) => { const by = (view.to - view.from) * part; look(view.from + by, view.to + by); };

function visibleMessages() {
  const end = first(story.messages, 3, view.to);
  const begin = first(story.messages, 3, view.from - longest);
  return story.messages.slice(begin, end).filter((message) => isShown(message) && (message[4] < 0 ? message[3] : message[4]) >= view.from);
}
const visibleMarks = () => story.marks.slice(first(story.marks, 1, view.from), first(story.marks, 1, view.to)).filter(isMarkShown);

/** Where an arrow ends: one that is lost on its way does so half-way, a little later than it was sent. */
function ends([from, to, , sent, arrived]) {
  const start = [x(sent), y(from)];
  if (arrived >= 0) return [start, [x(arrived), y(to)]];
  return [start, [start[0] + 14, start[1] + (y(to) - start[1]) * 0.4]];
}

function fitted(canvas, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = height * scale;
  canvas.style.height = height + "px";
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.font = "12px system-ui, sans-serif";
  return pen;
}

function drawAxis(pen, height) {
  const span = view.to - view.from;
  const step = 10 ** Math.floor(Math.log10(span / 4));
  const every = [1, 2, 5, 10].map((by) => by * step).find((by) => span / by <= 12);
  pen.fillStyle = css("--dim");
  pen.strokeStyle = css("--line");
  pen.lineWidth = 1;
  for (let at = Math.ceil(view.from / every) * every; at <= view.to; at += every) {
    pen.globalAlpha = 0.5;
    pen.beginPath(); pen.moveTo(x(at), 16); pen.lineTo(x(at), height - BOTTOM); pen.stroke();
    pen.globalAlpha = 1;
    pen.fillText(every >= 1e5 ? (at / 1e6).toFixed(1) + " s" : (at / 1e3).toFixed(every >= 1000 ? 0 : 1) + " ms", x(at) + 3, 12);
  }
}

function drawLines(pen) {
  const stretch = (all, at, colour, thick, dash) => {
    pen.strokeStyle = colour; pen.lineWidth = thick; pen.setLineDash(dash);
    for (const [from, to] of all) {
      pen.beginPath(); pen.moveTo(Math.max(LEFT, x(from)), at); pen.lineTo(Math.max(LEFT, x(to)), at); pen.stroke();
    }
    pen.setLineDash([]);
  };
  for (const replica of rows()) {
    const at = y(replica);
    stretch([[view.from, view.to]], at, css("--ink"), 1.5, []);
    stretch(lying[replica], at, SORTS.lie[1], 5, []);
    stretch(paused[replica], at, "#bf8700", 5, [2, 4]);
    stretch(down[replica], at, css("--paper"), 6, []);
    stretch(down[replica], at, SORTS.life[1], 1.5, [3, 5]);
    pen.fillStyle = css("--ink");
    pen.fillText(`replica ${replica}`, 8, at);
    pen.fillStyle = SORTS.lie[1];
    pen.fillText(story.attacks[replica] ?? "", 8, at + 15);
  }
}

function drawMessages(pen, messages) {
  const faint = messages.length > 3000 ? 0.25 : messages.length > 600 ? 0.5 : 0.85;
  const headed = messages.length < 1500;
  for (const kind of shown.kinds) {
    for (const lost of [false, true]) {
      pen.strokeStyle = pen.fillStyle = colourOf(kind);
      pen.globalAlpha = faint; pen.lineWidth = 1; pen.setLineDash(lost ? [4, 3] : []);
      pen.beginPath();
      const some = messages.filter((message) => message[2] === kind && isLost(message) === lost).map(ends);
      for (const [[ax, ay], [bx, by]] of some) { pen.moveTo(ax, ay); pen.lineTo(bx, by); }
      pen.stroke(); pen.setLineDash([]);
      if (headed) for (const end of some) if (lost) cross(pen, end[1]); else head(pen, end);
    }
  }
  pen.globalAlpha = 1;
}
function head(pen, [[ax, ay], [bx, by]]) {
  const angle = Math.atan2(by - ay, bx - ax);
  pen.beginPath(); pen.moveTo(bx, by);
  for (const turn of [-0.35, 0.35]) pen.lineTo(bx - 7 * Math.cos(angle + turn), by - 7 * Math.sin(angle + turn));
  pen.fill();
}
function cross(pen, [px, py]) {
  pen.beginPath(); pen.moveTo(px - 3, py - 3); pen.lineTo(px + 3, py + 3); pen.moveTo(px - 3, py + 3); pen.lineTo(px + 3, py - 3); pen.stroke();
}

/** Each sort of mark has a shape and a place beside its line, so that they can be told apart without colour. */
const SHAPES = { commit: ["■", -6], certificate: ["◆", -20], view: ["|", 16], timeout: ["○", 16], submit: ["▲", 26], accuse: ["!", 36], life: ["✕", 5], lie: ["☠", 36], net: ["▼", 0] };
function markAt([replica, at, sort, , label]) {
  // A commit proof comes with the certificate that completes it: one above the other.
  const higher = sort === "certificate" && label.startsWith("f") ? 13 : 0;
  return [x(at), replica < 0 ? TOP - 4 : y(replica) + SHAPES[sort][1] - higher];
}
function drawMarks(pen, marks) {
  const isRoomy = marks.length < 120;
  pen.textAlign = "center";
  for (const mark of marks) {
    const [px, py] = markAt(mark);
    pen.fillStyle = SORTS[mark[2]][1];
    pen.fillText(SHAPES[mark[2]][0], px, py);
    if (isRoomy && mark[4]) { pen.textAlign = "left"; pen.fillText(mark[4], px + 7, py); pen.textAlign = "center"; }
  }
  pen.textAlign = "left";
}

function draw() {
  const height = TOP + ROW * rows().length + BOTTOM;
  const pen = fitted(diagram, height);
  const [messages, marks] = [visibleMessages(), visibleMarks()];
  drawAxis(pen, height);
  pen.save();
  pen.beginPath(); pen.rect(0, 0, diagram.clientWidth, height); pen.clip();
  drawLines(pen);
  pen.beginPath(); pen.rect(LEFT, 0, width() + 12, height); pen.clip();
  drawMessages(pen, messages);
  drawMarks(pen, marks);
  drawChosen(pen);
  pen.restore();
  drawOverview();
  document.getElementById("window").textContent = `${seconds(Math.round(view.from))} to ${seconds(Math.round(view.to))}: ${messages.length} messages, ${marks.length} marks`;
}
function drawChosen(pen) {
  if (!view.chosen) return;
  pen.strokeStyle = css("--ink"); pen.lineWidth = 3;
  if (view.chosen.message) {
    const [[ax, ay], [bx, by]] = ends(view.chosen.message);
    pen.beginPath(); pen.moveTo(ax, ay); pen.lineTo(bx, by); pen.stroke();
  } else {
    const [px, py] = markAt(view.chosen.mark);
    pen.beginPath(); pen.arc(px, py - 4, 9, 0, 7); pen.lineWidth = 2; pen.stroke();
  }
}

/** How much was said when, and which part of it stands above. */
function drawOverview() {
  const pen = fitted(overview, 52);
  const wide = overview.clientWidth, bins = new Array(Math.max(1, Math.floor(wide / 2))).fill(0);
  const bin = (at) => Math.min(bins.length - 1, Math.floor((at / story.lasted) * bins.length));
  for (const message of story.messages) bins[bin(message[3])] += 1;
  const most = Math.max(1, ...bins);
  pen.fillStyle = css("--dim");
  bins.forEach((count, at) => pen.fillRect(at * 2, 46 - (40 * count) / most, 2, (40 * count) / most));
  for (const mark of story.marks.filter((mark) => ["life", "lie", "net"].includes(mark[2]))) {
    pen.fillStyle = SORTS[mark[2]][1];
    pen.fillRect((mark[1] / story.lasted) * wide - 1, 0, 2, 52);
  }
  pen.strokeStyle = css("--ink"); pen.lineWidth = 2;
  const from = (view.from / story.lasted) * wide;
  pen.strokeRect(from, 1, Math.max(4, ((view.to - view.from) / story.lasted) * wide), 50);
}
