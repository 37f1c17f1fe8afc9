import assert from "node:assert/strict";
import fc from "fast-check";
import { coverageOf } from "../../../env/generated/coverage.ts";
import { generated } from "../../../env/generated/generated.ts";
import type { Trajectory } from "../../../env/tokens/trajectory.ts";
import {
  groupsFigure,
  passFigure,
  pointsFigure,
} from "../../../notebooks/lib/charts.ts";
import { figure, Plot } from "../../../notebooks/lib/figure.ts";
import { html } from "../../../notebooks/lib/html.ts";
import {
  coverageFigure,
  showCertificate,
} from "../../../notebooks/lib/show_tasks.ts";
import { type GroupRow, stepRanges } from "../../../notebooks/lib/rewards.ts";
import {
  attemptsText,
  differenceText,
  groupsText,
} from "../../../notebooks/lib/run_words.ts";
import type { RunEpisode } from "../../../train/runs/run_episodes.ts";
import { Rich, stack } from "../../../notebooks/lib/rich.ts";
import { table } from "../../../notebooks/lib/table.ts";
import { showTokens, tokenCounts } from "../../../notebooks/lib/tokens.ts";

Deno.test("html`` escapes every value, so text never becomes markup", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const markup = String(html`<td title="${text}">${text}</td>`);
    const inner = markup.slice('<td title="'.length, -"</td>".length);
    assert.equal(inner.split('">').length, 2);
    assert.doesNotMatch(inner.replace('">', ""), /[<>"]/);
  }));
});

Deno.test("html`` strips a formatter's surrounding lines, but no inner ones", () => {
  const shown = html`
    <b>${"a"}</b>
    <i>b</i>
  `;
  assert.match(String(shown), /^<b>a<\/b>\n\s+<i>b<\/i>$/);
});

Deno.test("table() escapes cells, keeps short cells on one line, and states how many rows are omitted", () => {
  const rows = ["<script>alert(1)</script>", "b", "c"].map((word, i) => ({
    word,
    n: i * 1000,
    rich: new Rich({ html: html`<b>x</b>`, text: "x" }),
  }));
  const shown = table(rows, { limit: 2 });
  assert.doesNotMatch(shown.markup, /<script/);
  assert.match(shown.markup, /<td class="short">b<\/td>/);
  assert.match(shown.markup, /<td class="num">1,000<\/td>/);
  assert.match(shown.markup, /<b>x<\/b>/);
  assert.match(shown.text, /… and 1 more$/);
  assert.match(shown.text, /^word +n +rich\n/);
});

Deno.test("figure() is HTML in the page's colors, and SVG on white", () => {
  const bundle = figure({
    alt: "a <rising> line",
    marks: [Plot.line([[0, 0], [1, 1]])],
  }).bundle();
  assert.equal(bundle["text/plain"], "a <rising> line");
  assert.match(bundle["text/html"]!, /aria-label="a &#60;rising&#62; line"/);
  assert.match(bundle["image/svg+xml"]!, /^<svg[^>]+xmlns=/);
  assert.match(bundle["image/svg+xml"]!, /style="[^"]*background: ?white/);
  assert.match(bundle["text/html"]!, /style="[^"]*background: ?none/);
});

Deno.test("stack() shows the styles once", () => {
  const shown = stack(table([{ a: 1 }]), table([{ b: 2 }]));
  assert.equal(shown.markup.split("<style>").length, 2);
  assert.equal(shown.text, "a\n─\n1\n\nb\n─\n2");
});

Deno.test("pointsFigure() and passFigure() have text descriptions", () => {
  const points = [
    { step: 1, value: 0.25, series: "train reward" },
    { step: 2, value: 0.5, series: "train reward" },
  ];
  assert.equal(
    pointsFigure(points, { label: "reward" }).text,
    "reward by step: train reward 0.50",
  );
  assert.equal(
    passFigure([["a", [{ value: 0.5, low: 0.2, high: 0.8 }]]]).text,
    "a: pass^1 0.50",
  );
  // A live figure starts without points.
  assert.doesNotThrow(() => pointsFigure([], { label: "reward", steps: 9 }));
});

/**
 * Creates a trajectory that consists of an opening, then alternating answers and observations, with the given numbers
 * of tokens.
 */
function trajectoryOf(spans: readonly number[]): Trajectory {
  const lossMask = spans.flatMap((length, i) =>
    Array<0 | 1>(length).fill(i % 2 === 1 ? 1 : 0)
  );
  return {
    ids: lossMask.map((_, t) => t),
    lossMask,
    logprobs: lossMask.map((mask) => mask === 1 ? Math.log(0.5) : 0),
  };
}

Deno.test("tokenCounts() classifies tokens and counts each once", () => {
  const messages = [
    { role: "user", content: "hi" },
    { role: "assistant", content: "", toolCalls: [{}] },
    { role: "tool", content: "…" },
    { role: "assistant", content: "{" },
    { role: "user", content: "Error: no call" },
    { role: "assistant", content: "yes?" },
    { role: "user", content: "yes" },
    { role: "assistant", content: "bye" },
  ];
  const trajectory = trajectoryOf([5, 4, 7, 3, 2, 6, 1, 8]);
  assert.deepEqual(tokenCounts(trajectory, JSON.stringify(messages)), {
    opening: 5,
    calls: 4,
    tools: 7,
    mistakes: 5,
    words: 14,
    users: 1,
  });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 })), (spans) => {
      const one = trajectoryOf([3, ...spans]);
      const counts = tokenCounts(one, JSON.stringify(messages));
      const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
      assert.equal(total, one.ids.length);
    }),
  );
});

Deno.test("showTokens() shows every token in its place, as text", () => {
  const words = ["<|user|>", "a\n", "<b>", "  c"];
  const shown = showTokens(
    { ids: [0, 1, 2, 3], lossMask: [0, 0, 1, 1], logprobs: [0, 0, -1, -9] },
    { decode: ([id]) => words[id!]! },
  );
  assert.equal(shown.text, words.join(""));
  assert.doesNotMatch(shown.markup, /<b>/);
  // There must be nothing between tokens; otherwise, the page would show additional spaces.
  const spans = shown.markup.match(/<span.*<\/span>/s)![0];
  assert.equal(spans.replaceAll(/<span[^>]*>[^<]*<\/span>/g, ""), "");
  assert.match(spans, /title="p 0\.368"/);
});

Deno.test("showCertificate() has a line for each part, coverageFigure() each clause", async () => {
  const world = await generated(1, {
    trainTasks: 6,
    devTasks: 1,
    testTasks: 1,
  });
  for (const certificate of world.certificates.values()) {
    const lines = showCertificate(certificate).text.split("\n");
    assert.deepEqual(
      lines.slice(2).map((line) => line.split(" ")[0]),
      ["gold", "policy", "solvable", "unique", "strict", "expert"],
    );
  }
  const coverage = coverageOf(
    "retail",
    world.certificates.values(),
  );
  const { text } = coverageFigure(coverage);
  const clauses = new Set(coverage.map(({ clause }) => clause));
  assert.match(text, new RegExp(`^${clauses.size} clauses, `));
});

/** Creates the groups of `steps` RL steps. One group in three has rewards that differ. */
function longRun(steps: number, groups: number): GroupRow[] {
  return Array.from({ length: steps * groups }, (_, i) => {
    const rewards = i % 3 === 0 ? [1, 0, 1, 0] : [0, 0, 0, 0];
    return {
      step: 71 + Math.floor(i / groups),
      taskId: `t${i}`,
      intent: null,
      rewards,
      variance: i % 3 === 0 ? 0.25 : 0,
    };
  });
}

/** Returns the tick labels of a chart's x axis, in order. */
function ticksOf(shown: Rich): string[] {
  const [, axis = ""] =
    /aria-label="f?x-axis tick label"[^>]*>(.*?)<\/g>/s.exec(shown.markup) ??
      [];
  return [...axis.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text!);
}

Deno.test("stepRanges() labels few steps one by one, and many as ranges that cover them in order", () => {
  const few = stepRanges([3, 1, 2, 2]);
  assert.deepEqual([1, 2, 3].map(few), ["1", "2", "3"]);
  const steps = Array.from({ length: 90 }, (_, i) => 71 + i);
  const many = stepRanges(steps);
  assert.deepEqual([...new Set(steps.map(many))], [
    "71–79",
    "80–88",
    "89–97",
    "98–106",
    "107–115",
    "116–124",
    "125–133",
    "134–142",
    "143–151",
    "152–160",
  ]);
});

Deno.test("groupsFigure() of 90 steps has labels and dots that do not overlap", () => {
  const figure = groupsFigure(longRun(90, 12));
  const ticks = ticksOf(figure);
  assert.equal(ticks.length, 10);
  // With a font size of 12 pixels, a letter is about 7 pixels wide.
  const width = ticks.reduce((sum, tick) => sum + 7 * tick.length + 7, 0);
  assert.ok(width < 660, `${width} of the 660 pixels`);
  // One dot per range and outcome, and none outside the plot.
  const dots = [...figure.markup.matchAll(/<circle[^>]*>/g)].map(([dot]) => {
    const [, x] = / cx="([^"]*)"/.exec(dot) ?? [];
    const [, y] = / cy="([^"]*)"/.exec(dot) ?? [];
    const [, r] = / r="([^"]*)"/.exec(dot) ?? [];
    return { x: Number(x), y: Number(y), r: Number(r) };
  });
  assert.ok(dots.length <= 20, `${dots.length} dots`);
  assert.ok(dots.length >= 10);
  const columns = [...new Set(dots.map(({ x }) => x))].sort((a, b) => a - b);
  for (const { r } of dots) assert.ok(2 * r <= columns[1]! - columns[0]!);
  // The axis is at y = 218, its labels below.
  for (const { y, r } of dots) assert.ok(y + r <= 218, `${y} + ${r}`);
  assert.match(figure.text, /^360 of 1080 groups have mixed rewards$/);
});

Deno.test("groupsFigure() draws few groups one by one", () => {
  const figure = groupsFigure(longRun(4, 6));
  assert.equal(figure.markup.match(/<circle/g)?.length, 24);
});

Deno.test("groupsText(), attemptsText() and differenceText() agree with the run's figures", () => {
  assert.match(
    groupsText(longRun(10, 3)).text,
    /^33% of 30 groups have mixed rewards, which give a learning signal\. Of the others, 0 are fully solved and 20 are not\. Most groups give none: use easier tasks/,
  );
  const solved = { step: 1, taskId: "t", intent: null, rewards: [1, 1] };
  assert.match(
    groupsText([{ ...solved, variance: 0 }]).text,
    /^0% of 1 group .* 1 are fully solved and 0 are not\. .*harder tasks/,
  );
  const episodes = [2, 2, 1].flatMap((attempts, i) =>
    Array.from({ length: attempts }, () => ({ task: { id: `t${i}` } }))
  ) as unknown as RunEpisode[];
  assert.equal(
    attemptsText(episodes).text,
    "3 tasks, 1 to 2 attempts each.",
  );
  const names = ["a", "b"] as const;
  const text = (value: number, low: number, high: number) =>
    differenceText({ tasks: 12, value, low, high }, names).text;
  assert.match(text(0.1, -0.05, 0.25), /^b earns 0\.100 more .* chance/);
  assert.match(text(-0.2, -0.3, -0.1), /^a earns 0\.200 more .* not contain 0/);
  assert.match(text(0, 0, 0), /^a and b solve their 12 tasks equally often/);
});
