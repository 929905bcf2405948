"use strict";
// The story: times are whole microseconds. A message is [from, to, kind, sent, arrived, length, content]; arrived -1: lost on its way,
// -2: refused by whoever receives it. A mark is [replica, at, sort, in words, in a word]; replica -1: the
// whole network.
const story = JSON.parse(document.getElementById("story").textContent);

const SORTS = {
  commit: ["commits", "#1b9e4b"], certificate: ["certificates", "#8250df"], view: ["views", "#57606a"],
  timeout: ["timers", "#bf8700"], submit: ["clients", "#0a7ea4"], accuse: ["accusations", "#c62828"],
  life: ["crashes, disks, pauses", "#c62828"], lie: ["attacks", "#d4531c"], net: ["network", "#57606a"],
};
const PALETTE = ["#1f77d0", "#e0621b", "#1a9850", "#b5338a", "#7a5cc9", "#a06a2c", "#0f9aa8", "#c2a200", "#d13b52", "#5a7d1f", "#6b7a8f", "#3d5ad6"];
const colourOf = (kind) => PALETTE[kind % PALETTE.length];

const seconds = (micros) => (micros / 1e6).toFixed(micros % 1000 ? 6 : 3) + " s";

/** From what happened to a replica, the spans in which it was one thing: [from, to]. */
function spans(begins, ends) {
  return Array.from({ length: story.replicas }, (_, replica) => {
    const all = [];
    let open = null;
    for (const [who, at, sort, , change] of story.marks) {
      if (who !== replica || (sort !== "life" && sort !== "lie")) continue;
      if (open === null && begins.includes(change)) open = at;
      else if (open !== null && ends.includes(change)) { all.push([open, at]); open = null; }
    }
    if (open !== null) all.push([open, story.lasted]);
    return all;
  });
}
const ENDS = ["starts"];
const down = spans(["crashes", "ends by itself", "loses its disks", "cannot start"], ENDS);
const paused = spans(["stands still"], ["goes on", "crashes", "loses its disks"]);
const lying = spans(["lies"], ["is honest again"]);
const within = (all, at) => all.some(([from, to]) => from <= at && at < to);

/** What became of a message, in words. */
function fate([, to, , , arrived]) {
  if (arrived === -1) return "lost on its way";
  if (arrived === -2) return "refused: it does not verify";
  if (within(down[to], arrived)) return "nobody was there: its receiver was down";
  if (within(paused[to], arrived)) return "waited: its receiver stood still";
  return "received";
}
const isLost = (message) => message[4] < 0 || within(down[message[1]], message[4]);

/** What a message says, with half the room at the left, and whatever holds one value in one line. */
function readable(text) {
  const single = /\(\n\s*([^\n(){}[\]]+(?:\([^\n()]*\))?),\n\s*\)/g;
  return text.replace(single, "($1)").replace(single, "($1)").replace(/^ +/gm, (room) => room.slice(room.length / 2));
}

/** The greatest time that a message was under way: how far before a window to look. */
const longest = story.messages.reduce((most, message) => Math.max(most, message[4] - message[3]), 0);

/** Index of the first entry whose time is at least `at`. */
function first(list, column, at) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle][column] < at) low = middle + 1; else high = middle;
  }
  return low;
}

const shown = {
  replicas: new Set(Array.from({ length: story.replicas }, (_, replica) => replica)),
  kinds: new Set(story.kinds.map((_, kind) => kind)),
  // Timers are many, and rarely what is looked for.
  sorts: new Set(Object.keys(SORTS).filter((sort) => sort !== "timeout")),
  lost: true,
};
const isShown = (message) =>
  shown.kinds.has(message[2]) && shown.replicas.has(message[0]) && shown.replicas.has(message[1]) && (shown.lost || !isLost(message));
const isMarkShown = (mark) => shown.sorts.has(mark[2]) && (mark[0] < 0 || shown.replicas.has(mark[0]));
