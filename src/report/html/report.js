"use strict";
// Draws the report from the JSON beside it. Everything that comes from captions, keys or URLs goes
// through text nodes: nothing of it is ever parsed as HTML. Charts are SVG by d3: read out, printed and resized like text.

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const CARDS_A_PAGE = 24;
const BORDER_EXAMPLES = 3;
const MOST_DIFF_WORDS = 200;

const at = (id) => document.getElementById(id);
const count = (n) => n.toLocaleString("en-US");
const percent = (part, whole) => (whole > 0 ? (100 * part / whole).toFixed(1) + "\u00a0%" : "–");
const score = (value) => (value < 0 ? "–" : value.toFixed(2));
const words = (name) => name.replaceAll("_", " ");

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function drawn(tag, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

// --- text from outside -----------------------------------------------------------------------

// Controls, and characters that turn the direction of the text around them: shown by number.
const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

function appendText(node, text) {
  let plain = "";
  for (const character of text) {
    if (!INVISIBLE.test(character)) {
      plain += character;
      continue;
    }
    if (plain) node.append(plain);
    plain = "";
    const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    node.append(element("span", {class: "control"}, "U+" + code));
  }
  if (plain) node.append(plain);
  return node;
}

const fromOutside = (tag, attributes, text) => appendText(element(tag, attributes), text);

// --- charts ------------------------------------------------------------------------------------

const HEIGHT = 150, LEFT = 52, RIGHT = 8, BOTTOM = 20, TOP = 8;

function compact(value) {
  if (value >= 1e6) return (value / 1e6).toFixed(1) + "M";
  if (value >= 1e4) return Math.round(value / 1e3) + "k";
  return count(value);
}

// chart: {title, labels, series: [{name, fill, values}], fillOf?, limit?}
function columns(chart, width) {
  const largest = Math.max(1, ...chart.series.flatMap((series) => series.values));
  const y = d3.scaleLinear().domain([0, largest]).range([HEIGHT - BOTTOM, TOP]);
  const share = (width - LEFT - RIGHT) / chart.labels.length;
  const groups = d3.scaleBand().domain([...chart.labels.keys()]).range([LEFT, width - RIGHT])
    .paddingInner(Math.min(4 / share, 0.2)).paddingOuter(Math.min(2 / share, 0.1));
  const bars = d3.scaleBand().domain([...chart.series.keys()]).range([0, groups.bandwidth()]);
  const bar = Math.max(0.5, bars.bandwidth() - (chart.series.length > 1 ? 1 : 0));
  const svg = d3.create("svg:svg").attr("viewBox", `0 0 ${width} ${HEIGHT}`).attr("height", HEIGHT)
    .attr("role", "img").attr("aria-label", chart.title);
  svg.append("g").attr("class", "axis").attr("transform", `translate(${LEFT},0)`)
    .call(d3.axisLeft(y).tickValues(y.ticks(3).filter(Number.isInteger)).tickFormat(compact)
      .tickSize(LEFT + RIGHT - width).tickPadding(6));
  const every = Math.ceil(chart.labels.length * 34 / (width - LEFT));
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${HEIGHT - BOTTOM})`)
    .call(d3.axisBottom(groups).tickValues(groups.domain().filter((i) => i % every === 0))
      .tickFormat((i) => chart.labels[i]).tickSize(0).tickPadding(6));
  const height = (value) => (value > 0 ? Math.max(1.5, y(0) - y(value)) : 0);
  const values = chart.labels.flatMap((label, i) => chart.series.map((series, s) => ({label, i, series, s, value: series.values[i]})));
  svg.append("g").selectAll("rect").data(values).enter().append("rect")
    .attr("class", ({i, series}) => (chart.fillOf ? chart.fillOf(i) : series.fill)).attr("rx", Math.min(2, bar / 4))
    .attr("x", ({i, s}) => groups(i) + bars(s)).attr("width", bar)
    .attr("y", ({value}) => y(0) - height(value)).attr("height", ({value}) => height(value))
    .append("title").text(({label, series, value}) => `${label}${series.name ? ", " + series.name : ""}: ${count(value)}`);
  if (chart.limit !== undefined) {
    const x = LEFT + chart.limit * (width - LEFT - RIGHT);
    svg.append("line").attr("class", "limit").attr("x1", x).attr("x2", x).attr("y1", 0).attr("y2", y(0));
  }
  return svg.node();
}

const redraws = new Map();
const observer = new ResizeObserver((entries) => {
  for (const entry of entries) redraws.get(entry.target)?.();
});

// Draws in the place's own width, again whenever that changes: letters keep their size on a phone.
function show(place, chart) {
  let width = 0;
  const draw = () => {
    const now = Math.round(place.clientWidth) || 640;
    if (now === width) return;
    width = now;
    place.replaceChildren(columns(chart, width));
  };
  draw();
  redraws.set(place, draw);
  observer.observe(place);
}

function numbers(chart) {
  const head = ["", ...chart.series.map((series) => series.name || "pairs")];
  const rows = chart.labels.map((label, i) => [label, ...chart.series.map((series) => count(series.values[i]))]);
  return element("details", {}, element("summary", {}, "Numbers"), table(chart.title, head, rows));
}

function chartWithNumbers(place, chart) {
  if (chart.series.length > 1) {
    const keys = chart.series.map((series) => element("span", {}, element("i", {class: series.fill}), series.name));
    place.append(element("div", {class: "legend"}, ...keys));
  }
  const canvas = element("div", {class: "chart"});
  place.append(canvas, numbers(chart));
  show(canvas, chart);
}

function horizontalBar(share, fill) {
  const svg = drawn("svg", {height: 14, "aria-hidden": "true"});
  svg.append(drawn("rect", {class: fill, rx: 2, y: 3, height: 10, width: (100 * Math.max(0, Math.min(1, share))).toFixed(2) + "%"}));
  return svg;
}

function table(title, head, rows) {
  const cell = (value) => (value instanceof Node ? value : fromOutside("td", {}, String(value)));
  const body = rows.map((row) => element("tr", {}, ...row.map(cell)));
  return element("div", {class: "scroll"}, element("table", {}, element("caption", {}, title),
    element("thead", {}, element("tr", {}, ...head.map((name) => element("th", {scope: "col"}, name)))),
    element("tbody", {}, ...body)));
}

const textCell = (text) => fromOutside("td", {class: "text"}, text);

// --- totals --------------------------------------------------------------------------------------

function drawTotals() {
  const {summary, shards} = data;
  if (data.preview) return drawPreview();
  const notListed = data.num_folders - data.folders.length;
  appendText(at("folders"), data.folders.join(", ") + (notListed > 0 ? ` … and ${count(notListed)} more` : ""));
  const told = {
    complete: "Complete: every file, hash, row and key agrees.",
    incomplete: "Incomplete: the same command goes on where it was.",
    empty: "There is no pair in it.",
    damaged: "Something is wrong that running again would not mend.",
  };
  const failures = summary.failed > 0 && data.verdict === "damaged" && data.num_problems === 0 && !data.drift_limits.beyond;
  at("verdict").classList.add(data.verdict);
  at("verdict").textContent = `${failures ? "More pairs failed than the limit allows, or the input is damaged." : data.drift_limits.beyond ? "Captions drift beyond a limit." : told[data.verdict]} ` +
    `${count(shards.done)} of ${count(shards.expected)} shards, ${count(summary.read)} pairs.`;
  drawFunnel();
  drawProblems();
}

// What a run would do: these pairs were judged, and nothing was written but this page.
function drawPreview() {
  const {preview} = data;
  document.title = at("title").textContent = "aitqe preview";
  at("folders").textContent = "What a run would do. Nothing was written but this page.";
  at("verdict").classList.add("incomplete");
  at("verdict").textContent = `Preview: ${count(preview.pairs)} of ${count(preview.pairs_in_input)} pairs were judged` +
    (preview.random ? `, drawn at random from every shard (--sample ${Number((100 * preview.sample).toFixed(6))}% --seed ${preview.seed}).`
      : ", the first ones of some shards. They tell nothing of the others; --sample draws at random.");
  drawFunnel();
  if (preview.random) {
    const whole = (share) => count(Math.round(share * preview.pairs_in_input));
    const rows = ["kept", "rewritten", "failed"].map((name) => {
      const {pairs, share, low, high} = preview[name];
      return [name, count(pairs), percent(share, 1), `${percent(low, 1)} to ${percent(high, 1)}`, `${whole(low)} to ${whole(high)}`];
    });
    at("funnel").append(table(`What is to be expected of all ${count(preview.pairs_in_input)} pairs, 19 times in 20`,
      ["", "judged", "share", "share of all", "pairs of all"], rows));
  }
  drawProblems();
}

function drawFunnel() {
  const {summary} = data;
  const tile = (value, label) => element("div", {class: "tile"}, element("b", {}, value), element("span", {}, label));
  at("tiles").append(
    tile(count(summary.read), "pairs read"),
    tile(percent(summary.rewritten, summary.read), "rewritten"),
    tile(percent(summary.kept, summary.read), "kept"),
    tile(percent(summary.failed, summary.read), "failed"),
    tile(score(data.mean_score), "mean score"));
  const line = (name, value, fill) => {
    const bar = element("td", {class: "bar"});
    bar.append(horizontalBar(summary.read > 0 ? value / summary.read : 0, fill));
    return [name, bar, count(value), percent(value, summary.read)];
  };
  at("funnel").append(table("From pairs read to captions rewritten", ["", "", "pairs", "share"], [
    line("read", summary.read, "fill-before"),
    line("judged", summary.read - summary.failed, "fill-before"),
    line("kept", summary.kept, "fill-kept"),
    line("of these refused: a rewrite was due and of no use", data.refused, "fill-kept"),
    line("rewritten", summary.rewritten, "fill-after"),
    line("failed", summary.failed, "fill-failed"),
    ...(summary.captions_suspect > 0 ? [line("suspect captions", summary.captions_suspect, "fill-failed")] : []),
  ]));
}

function drawProblems() {
  if (data.num_problems > 0) {
    const rows = data.problems.map((problem) =>
      [problem.shard || "–", textCell(words(problem.kind)), textCell(problem.detail), problem.rerun_mends ? "yes" : "no"]);
    const title = data.num_problems > rows.length ? `Problems, the first ${rows.length} of ${count(data.num_problems)}` : "Problems";
    at("problems").append(table(title, ["shard", "kind", "what", "mended by running again"], rows));
  }
  const {damage, num_damage: numDamage} = data.summary;
  if (numDamage > 0) {
    const rows = damage.map((place) => [place.shard, textCell(words(place.kind)), count(place.bytes),
      place.pairs_lost < 0 ? "unknown" : count(place.pairs_lost)]);
    at("problems").append(table(`Damage of the input, ${count(numDamage)} in all`, ["shard", "kind", "bytes lost", "pairs lost"], rows));
  }
}

// --- scores and lengths --------------------------------------------------------------------------

const SCORES = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];

function drawScores() {
  const series = (values) => [{name: "", fill: "fill-after", values}];
  chartWithNumbers(at("score-chart"), {title: "Pairs by score", labels: SCORES, series: series(data.summary.score_histogram)});
  const given = Object.entries(data.dimensions).filter(([, bins]) => bins.some((bin) => bin > 0));
  if (given.length === 0) return;
  at("dimensions").append(element("h3", {}, "Scores that the model wrote"));
  const grid = element("div", {class: "multiples"});
  at("dimensions").append(grid);
  for (const [name, values] of given) {
    const place = element("div", {}, element("h3", {}, words(name)));
    grid.append(place);
    chartWithNumbers(place, {title: "Pairs by " + words(name), labels: SCORES, series: series(values)});
  }
}

function drawLengths() {
  const {bin, before: allBefore, after: allAfter} = data.caption_characters;
  const last = Math.max(9, allBefore.findLastIndex((n) => n > 0), allAfter.findLastIndex((n) => n > 0));
  const [before, after] = [allBefore, allAfter].map((bins) => bins.slice(0, last + 1));
  const labels = before.map((_, i) => (i === allBefore.length - 1 ? `${i * bin}+` : `${i * bin}`));
  chartWithNumbers(at("length-chart"), {title: "Captions by number of characters, in steps of " + bin, labels, series: [
    {name: "before", fill: "fill-before", values: before}, {name: "after", fill: "fill-after", values: after}]});
}

// --- threshold -----------------------------------------------------------------------------------

const BINS_SHOWN = 36;

function drawThreshold() {
  const fine = data.fine_scores;
  const together = fine.length / BINS_SHOWN;
  const shown = Array.from({length: BINS_SHOWN}, (_, i) =>
    fine.slice(i * together, (i + 1) * together).reduce((sum, bin) => sum + bin, 0));
  const labels = shown.map((_, i) => String(1 + i * together * data.fine_score_bin).slice(0, 4));
  const scored = fine.reduce((sum, bin) => sum + bin, 0);
  const slider = at("threshold-slider");
  const byScore = data.gallery.filter((pair) => pair.score >= 0).sort((a, b) => a.score - b.score);
  const update = () => {
    const limit = Number(slider.value);
    const below = fine.slice(0, Math.round((limit - 1) / data.fine_score_bin)).reduce((sum, bin) => sum + bin, 0);
    at("threshold-value").textContent = limit.toFixed(2);
    at("threshold-text").textContent =
      `${count(below)} of ${count(scored)} scored pairs (${percent(below, scored)}) would be rewritten with --rewrite-when 'score<${limit}'.`;
    const place = at("threshold-chart");
    redraws.delete(place);
    show(place, {title: "Pairs by score, in steps of a quarter", labels, series: [{name: "", values: shown}],
      fillOf: (i) => (1 + (i + 0.5) * together * data.fine_score_bin < limit ? "fill-after" : "fill-before"),
      limit: (limit - 1) / 9});
    at("border-below").replaceChildren(...byScore.filter((pair) => pair.score < limit).slice(-BORDER_EXAMPLES).reverse().map(card));
    at("border-above").replaceChildren(...byScore.filter((pair) => pair.score >= limit).slice(0, BORDER_EXAMPLES).map(card));
  };
  slider.value = String(thresholdToStart(fine, scored));
  slider.addEventListener("input", update);
  update();
}

// Where the rule of the run was a threshold, that one; else where a tenth of the pairs is below.
function thresholdToStart(fine, scored) {
  const rule = /^score<([\d.]+)$/.exec(data.config.rewrite_when || "");
  if (rule) return Number(rule[1]);
  let below = 0;
  const bin = fine.findIndex((pairs) => (below += pairs) >= scored / 10);
  return 1 + Math.max(1, bin + 1) * data.fine_score_bin;
}

// --- groups and drift ----------------------------------------------------------------------------

function groupTable(title, groups) {
  const rows = groups.map((group) => {
    const bar = element("td", {class: "bar"});
    bar.append(horizontalBar((group.mean_score - 1) / 9, "fill-after"));
    return [group.name || "(unnamed)", bar, score(group.mean_score), count(group.read),
      percent(group.rewritten, group.read), percent(group.failed, group.read)];
  });
  const place = table(title, ["", "", "mean score", "pairs", "rewritten", "failed"], rows);
  place.firstChild.classList.add("groups");
  return place;
}

function drawGroups() {
  const place = at("group-tables");
  const listed = data.worst_shards.length;
  const areAll = data.shard_means.reduce((sum, shards) => sum + shards, 0) === listed;
  if (listed > 0) {
    place.append(groupTable(areAll ? "Shards, the lowest mean score first" : "Shards with the lowest mean score", data.worst_shards));
  }
  if (!areAll) {
    place.append(groupTable("Shards with the highest mean score", data.best_shards));
    place.append(element("h3", {}, "Shards by their mean score"));
    chartWithNumbers(place, {title: "Shards by mean score, in steps of a quarter", series: [{name: "", fill: "fill-after", values: data.shard_means}],
      labels: data.shard_means.map((_, i) => String(1 + i / 4))});
  }
  if (data.by_source.length > 0) place.append(groupTable("Sources, by host of the URL", data.by_source));
  if (data.by_language.length > 0) place.append(groupTable("Language of the caption, as guessed by CLD2", data.by_language));
  if (data.by_script.length > 0) place.append(groupTable("Script that most letters of the caption are in", data.by_script));
}

function drawDrift() {
  const {beyond} = data.drift_limits;
  if (beyond) at("drift-tables").append(element("p", {class: "verdict damaged"}, "Beyond a limit: " + beyond + "."));
  const facts = [
    ["captions", (body) => count(body.captions)],
    ["words a caption", (body) => body.mean_words.toFixed(2)],
    ["characters a caption", (body) => body.mean_characters.toFixed(1)],
    ["different words (estimated)", (body) => count(body.vocabulary)],
    ["different names and numbers (estimated)", (body) => count(body.facts)],
    ["entropy of words, bits", (body) => body.word_entropy_bits.toFixed(2)],
    ["entropy of pairs of words, bits", (body) => body.word_pair_entropy_bits.toFixed(2)],
    ["captions that another one repeats", (body) => (100 * body.repeated_share).toFixed(1) + "\u00a0%"],
  ];
  const lost = [
    ["words that are gone", "words_lost_share"],
    ["words that stood once or twice and are gone", "rare_words_lost_share"],
    ["names and numbers that are gone", "facts_lost_share"],
  ];
  const bodies = [["All captions", data.drift.all], ["Rewritten captions alone", data.drift.rewritten]];
  if (data.filter) bodies.push([`If pairs with a score below ${data.filter.below} were left out instead`, data.filter.drift]);
  for (const [title, drift] of bodies) {
    const {before, after, word_divergence_bits: divergence} = drift;
    if (before.captions === 0) continue;
    const rows = facts.map(([label, value]) => [label, value(before), value(after)]);
    rows.push(["distance of the words from those before (Jensen-Shannon, 0 to 1)", "", divergence.toFixed(3)]);
    for (const [label, name] of lost) rows.push([label, "", (100 * drift[name]).toFixed(1) + "\u00a0%"]);
    at("drift-tables").append(table(title, ["", "before", "after"], rows));
  }
}

// --- pairs ---------------------------------------------------------------------------------------

// Without case and the punctuation around it; punctuation alone stays.
function bare(word) {
  return word.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "") || word;
}

// Which words of `oldWords` and `newWords` are in both, in order (longest common subsequence).
function commonWords(oldWords, newWords) {
  const old = oldWords.map(bare), now = newWords.map(bare);
  const longest = Array.from({length: old.length + 1}, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; --i) {
    for (let j = now.length - 1; j >= 0; --j) {
      longest[i][j] = old[i] === now[j] ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    }
  }
  const common = {old: new Set(), now: new Set()};
  for (let i = 0, j = 0; i < old.length && j < now.length;) {
    if (old[i] === now[j]) {
      common.old.add(i++);
      common.now.add(j++);
    } else if (longest[i + 1][j] >= longest[i][j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return common;
}

// Runs of words that only one of the two captions has are marked as one.
function marked(tokens, common, tag) {
  const line = element("span", {class: "words", dir: "auto"});
  for (let i = 0, end; i < tokens.length; i = end) {
    end = i + 1;
    while (end < tokens.length && common.has(end) === common.has(i)) ++end;
    if (i > 0) line.append(" ");
    const run = tokens.slice(i, end).join(" ");
    if (common.has(i)) appendText(line, run);
    else line.append(fromOutside(tag, {}, run));
  }
  return line;
}

// What is not compared is shown unmarked, behind a sign of where the comparison ends.
function withRest(line, tokens) {
  if (tokens.length <= MOST_DIFF_WORDS) return line;
  line.append(" ", element("span", {class: "uncompared"}, "[the rest is not compared]"), " ");
  appendText(line, tokens.slice(MOST_DIFF_WORDS).join(" "));
  return line;
}

function captionLine(label, content) {
  return element("p", {}, element("span", {class: "label"}, label), content);
}

const plainWords = (text) => fromOutside("span", {class: "words", dir: "auto"}, text || "(empty)");

function captionLines(pair) {
  if (pair.decision !== "rewrite") {
    const lines = [captionLine("caption", plainWords(pair.caption))];
    if (pair.recaption) lines.push(captionLine("not used", plainWords(pair.recaption)));
    return lines;
  }
  // U+FEFF is white space to a regular expression, and would not be shown then.
  const split = (text) => text.split(/[^\S\ufeff]+/u).filter((word) => word !== "");
  const old = split(pair.caption), now = split(pair.caption_out);
  const compared = (tokens) => tokens.slice(0, MOST_DIFF_WORDS);
  const common = commonWords(compared(old), compared(now));
  const line = (label, tokens, kept, tag) => captionLine(label, withRest(marked(compared(tokens), kept, tag), tokens));
  return [line("before", old, common.old, "del"), line("after", now, common.now, "ins")];
}

const reasonOf = (pair) => (pair.decision === "failed" ? pair.failure.split(":").slice(0, 2).join(":") : pair.reason);
const reasonText = (reason) => data.reason_texts[reason] || words(reason);

function moreFacts(pair) {
  const list = element("dl");
  const fact = (name, value) => list.append(element("dt", {}, name), fromOutside("dd", {}, String(value)));
  for (const [name, value] of Object.entries(pair.scores)) fact(words(name), value);
  if (pair.score_recaption >= 0) fact("score of the new caption", pair.score_recaption.toFixed(2));
  if (pair.p_rewrite >= 0) fact("probability of a new caption", pair.p_rewrite.toFixed(3));
  if (pair.size[0] > 0) fact("image", `${pair.size[0]} × ${pair.size[1]} px`);
  if (pair.url) fact("url", pair.url);
  fact("key", pair.key);
  fact("shard", pair.shard);
  return element("details", {}, element("summary", {}, "More"), list);
}

function card(pair) {
  const text = element("div", {});
  const names = {keep: "kept", rewrite: "rewritten", failed: "failed"};
  text.append(element("p", {class: "facts"}, element("span", {class: "tag " + pair.decision}, names[pair.decision]),
    pair.score >= 0 ? `score ${score(pair.score)} · ` : "",
    fromOutside("span", {}, pair.decision === "failed" ? pair.failure : reasonText(pair.reason))));
  text.append(...captionLines(pair), moreFacts(pair));
  if (!pair.jpeg) return element("article", {class: "pair no-image"}, text);
  const image = element("img", {src: "data:image/jpeg;base64," + pair.jpeg, alt: ""});
  return element("article", {class: "pair"}, image, text);
}

function searchText(pair) {
  return [pair.caption, pair.caption_out, pair.recaption, pair.key, pair.shard, pair.url, pair.failure].join("\n").toLowerCase();
}

function matching() {
  const text = at("filter-text").value.trim().toLowerCase();
  const decision = at("filter-decision").value, reason = at("filter-reason").value;
  const bound = (id, otherwise) => (at(id).value === "" ? otherwise : Number(at(id).value));
  const low = bound("filter-low", -Infinity), high = bound("filter-high", Infinity);
  const found = data.gallery.filter((pair) =>
    (decision === "" || pair.decision === decision) && (reason === "" || reasonOf(pair) === reason) &&
    pair.score >= low && pair.score <= high && (text === "" || searchText(pair).includes(text)));
  const order = at("filter-order").value;
  if (order === "low") found.sort((a, b) => a.score - b.score);
  if (order === "high") found.sort((a, b) => b.score - a.score);
  return found;
}

let shownCards = CARDS_A_PAGE;

function drawGallery() {
  const found = matching();
  const visible = found.slice(0, shownCards);
  at("gallery-cards").replaceChildren(...visible.map(card));
  at("gallery-count").textContent = `${count(visible.length)} of ${count(found.length)} matching pairs shown; ` +
    `${count(data.gallery.length)} sampled of ${count(data.summary.read)}.`;
  at("gallery-more").hidden = visible.length === found.length;
}

function setUpGallery() {
  const choice = (value, label) => fromOutside("option", {value}, label);
  at("filter-decision").append(choice("", "all"), choice("keep", "kept"), choice("rewrite", "rewritten"), choice("failed", "failed"));
  const reasons = [...new Set(data.gallery.map(reasonOf))].sort();
  at("filter-reason").append(choice("", "all"), ...reasons.map((reason) => choice(reason, reason)));
  for (const id of ["filter-text", "filter-decision", "filter-reason", "filter-low", "filter-high", "filter-order"]) {
    at(id).addEventListener("input", () => {
      shownCards = CARDS_A_PAGE;
      drawGallery();
    });
  }
  at("gallery-more").addEventListener("click", () => {
    const first = at("gallery-cards").childElementCount;
    shownCards += CARDS_A_PAGE;
    drawGallery();
    at("gallery-cards").children[first]?.querySelector("summary")?.focus();
  });
  drawGallery();
}

// --- failures and rerun --------------------------------------------------------------------------

function drawFailures() {
  const {reasons, failures, read} = data.summary;
  const rows = (counts, name) => Object.entries(counts).sort((a, b) => b[1] - a[1]).map(([code, pairs]) =>
    [code, textCell(name(code)), count(pairs), percent(pairs, read)]);
  const place = at("failure-tables");
  if (Object.keys(failures).length > 0) {
    place.append(table("Failed pairs, which came out as they went in", ["stage: code", "", "pairs", "share"], rows(failures, (kind) => data.hint_texts[kind.split(": ")[1]] ?? "")));
  } else {
    place.append(element("p", {}, "No pair failed."));
  }
  if (Object.keys(reasons).length > 0) {
    place.append(table("Why pairs were kept or rewritten", ["reason", "", "pairs", "share"], rows(reasons, reasonText)));
  }
}

function drawRerun() {
  const place = at("rerun-facts");
  if (data.command) {
    const what = data.preview ? "The command; without --dry-run, --report and --sample it is the run:" : "The latest command; shards that are done are left alone:";
    place.append(element("p", {}, what), fromOutside("pre", {}, data.command));
  }
  const list = element("dl");
  const fact = (name, value) => list.append(element("dt", {}, name), fromOutside("dd", {}, String(value)));
  fact("aitqe", data.version);
  fact("model, sha256", data.model_sha256);
  fact("configuration, sha256", data.config_sha256);
  for (const [name, value] of Object.entries(data.config)) fact(words(name), value);
  if (!data.preview) fact("time of all shards", (data.duration_s / 3600).toFixed(2) + " h");
  place.append(list);
  if (data.shards.num_missing > 0) {
    const {missing, num_missing: numMissing} = data.shards;
    place.append(element("h3", {}, `Missing shards: ${count(numMissing)}`),
      fromOutside("p", {class: "quiet"}, missing.join(", ") + (numMissing > missing.length ? ", …" : "")));
  }
}

drawTotals();
drawScores();
drawThreshold();
drawLengths();
drawGroups();
drawDrift();
setUpGallery();
drawFailures();
drawRerun();
document.documentElement.dataset.drawn = "true";
