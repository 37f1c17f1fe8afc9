import assert from "node:assert/strict";
import { readTextAction } from "../env/agents/text_action.ts";
import { claimsOf } from "../env/benchmarks/tau3/evaluators/nl_claims.ts";
import { statementVerdict } from "../env/benchmarks/tau3/evaluators/statement_claims.ts";
import { readRecording } from "../env/benchmarks/tau/replay/recording.ts";
import { domainNamed } from "../env/domains/registry.ts";
import { hear } from "../env/domains/shared/user/hearing.ts";
import { hearPhone } from "../env/domains/telecom/user/phone_hearing.ts";
import { readStory } from "../env/domains/telecom/user/story.ts";
import { expertAgent } from "../env/agents/expert.ts";
import { generated } from "../env/generated/generated.ts";
import { isContextFull } from "../env/models/context_full.ts";
import { calculate } from "../env/python/calculator.ts";
import { parsePythonJson } from "../env/python/python_json.ts";
import { isOutputTold } from "../env/reward.ts";
import { parseTemplate } from "../env/tokens/jinja/parser.ts";
import { parseDeepseekV3 } from "../env/tokens/tool_calls/deepseekv3.ts";
import { parseGlm45 } from "../env/tokens/tool_calls/glm45.ts";
import { parseGptOss } from "../env/tokens/tool_calls/gpt_oss.ts";
import { parseHermes } from "../env/tokens/tool_calls/hermes.ts";
import { parsePythonic } from "../env/tokens/tool_calls/pythonic.ts";
import { parseQwen25 } from "../env/tokens/tool_calls/qwen25.ts";
import { parseQwen3Coder } from "../env/tokens/tool_calls/qwen3_coder.ts";
import type { Dataset, Turn } from "../env/types.ts";
import { spoken, spokenAfter } from "../env/users/_spoken.ts";
import { scriptedUser } from "../env/users/scripted.ts";
import { trackUser } from "../env/users/tracker.ts";
import { indentJson } from "../notebooks/viewer/page/text.js";
import { readExpression } from "../notebooks/viewer/page/filter.js";
import { readResultFile } from "../env/benchmarks/tau/results/result_file.ts";
import { readVerdict } from "../train/diagnosis/judge.ts";
import {
  parseDriverCuda,
  parseGpus,
  parseTopology,
} from "../train/slime/doctor/nvidia_smi.ts";
import { explainFailure } from "../train/slime/launch/job_failure.ts";
import { logMessage, readLogMetrics } from "../train/slime/launch/log_line.ts";
import { superlinear } from "./support/growth.ts";
import { type RegexLiteral, regexLiterals } from "./support/regex_literals.ts";

/**
 * Exempt patterns: they match only text that taulab itself or the person at the keyboard wrote. A key is `PATH
 * /PATTERN/`, or the path of a module whose patterns are all exempt. The value describes the text.
 */
const OWN_TEXT: Readonly<Record<string, string>> = {
  "notebooks/viewer/export.ts / *<(?:link|script).*\\n/":
    "the viewer's own page",
  "tasks/_qwen3_templates.ts": "a package's template, for the benchmark",
  "train/slime/launch/symptoms.ts": "parts of anchored patterns, see below",
};

/**
 * Modules that build patterns from strings. Their functions are tested as {@linkcode PARSERS}, or read only text that
 * taulab itself wrote.
 */
const MADE_OF_STRINGS: readonly string[] = [
  "env/models/opaque_fields.ts",
  "env/python/python_space.ts",
  "env/tokens/guard.ts",
  "env/tokens/jinja/filters/number_filters.ts",
  "env/tokens/jinja/filters/texts.ts",
  "env/tokens/jinja/lexer.ts",
  "env/tokens/jinja/python_text.ts",
  "env/tokens/nfc.ts",
  "env/tokens/tool_calls/_python_text.ts",
  "env/tokens/tool_calls/glm45.ts",
  "env/tokens/tool_calls/gpt_oss.ts",
  "env/tokens/tool_calls/pythonic.ts",
  "env/users/_spoken.ts",
  "notebooks/jupyter/check_cells.ts",
  "train/cpu/tiny_tokenizer.ts",
  "train/slime/doctor/checks/image.ts",
  "train/slime/doctor/host_relay.ts",
  "train/slime/hosts/_wire.ts",
  "train/slime/hosts/container_fault.ts",
  "train/slime/launch/symptoms.ts",
];

/** Fragments from which hostile texts are built, in addition to the words in a pattern. */
const PIECES: readonly string[] = [
  ..."aA0 \n.,'\"\\([{/:#@-_<`",
  "a.",
  "word ",
  "1 ",
  "\u0085",
  "😀",
];

/** Fragments from which hostile texts for parsers are built, in addition to {@linkcode PIECES}. */
const SYNTAX: readonly string[] = [
  "]",
  "}",
  "[],",
  '{"a":',
  '{"a":1,',
  '"\\"',
  "\\u00",
  "1.",
  "1_",
  "Action:",
  'Action:{"name": "',
  "Thought:",
  "```json\n",
  "<tool_call>",
  "</tool_call>",
  "<tool_call>{",
  '<tool_call>{"name": "a", "arguments": {}}</tool_call>',
  "<think>",
  "</think>",
  "<function=a>",
  "<parameter=b>",
  "<arg_key>a</arg_key>",
  "<arg_value>",
  "<|channel|>",
  "<|start|>assistant<|channel|>commentary to=functions.a<|message|>",
  "<｜tool▁calls▁begin｜>",
  "<｜tool▁call▁begin｜>function<｜tool▁sep｜>a\n```json\n",
  "[a(b=",
  "a(b=1),",
  "what ",
  "what shall i confirm ",
  "shall i confirm? ",
  "yes no ",
  "a.a.a@",
  "12345 ",
  "User response: ",
  "###",
  "and ",
  "Traceback (most recent call last):\n",
  "RuntimeError: ",
  "a.b.Error: ",
  "(pid=1) step 1: {'a': ",
  "1+",
  "(1+",
  "def a():\n",
  "{{",
  "{{ a }}",
  "{% if a %}",
  "{% raw %}",
  "{#",
  "def a(b=[\n",
];

/** Beginnings of hostile texts, after which fragments are repeated. */
const BEGUN = [
  "",
  "{",
  'Action:\n{"name": "respond", "arguments": {"content": "',
];

const files = await sources();
const world = await generated(1, {
  trainTasks: 4,
  devTasks: 1,
  testTasks: 1,
});
const skies = await generated(1, { trainTasks: 4, devTasks: 1, testTasks: 1 }, {
  domain: "airline",
});

/** The functions that read text written by a model, a user, an endpoint, a file or another program. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  readTextAction: (text) =>
    readTextAction(text, { marker: "Action:", index: 0 }),
  "readTextAction with compat": (text) =>
    readTextAction(text, { marker: "Action:", index: 0, compat: true }),
  parsePythonJson,
  parseQwen25,
  parseQwen3Coder,
  parseGlm45,
  parseHermes,
  parsePythonic,
  parseDeepseekV3,
  parseGptOss,
  parseTemplate,
  spoken,
  spokenAfter: (text) => spokenAfter("User Response", text),
  hear: (text) => hear(text, { topic: /order/ }),
  hearPhone,
  "the scenario of telecom's user": readStory,
  "the store's scripted user": (text) => answerOf(text, world),
  "the airline's scripted user": (text) => answerOf(text, skies),
  "the store's expert": (text) => serve(text, world),
  "the airline's expert": (text) => serve(text, skies),
  "trackUser of a user": (text) => track({ user: text, agent: "Which one?" }),
  "trackUser of both": (text) => track({ user: text, agent: text }),
  "an assertion in prose": claimsOf,
  "the stand-in judge": judge,
  isOutputTold: (text) => isOutputTold("12.5", [text]),
  calculate,
  readVerdict,
  isContextFull: (text) => isContextFull(text, []),
  indentJson: (text) => indentJson(text),
  "indentJson of a list": (text) => indentJson(`[${text}0]`),
  readExpression,
  readRecording: (text) => readRecording(bytesOf(text), "a"),
  readResultFile: (text) => readResultFile(bytesOf(text), "a"),
  logMessage,
  readLogMetrics,
  explainFailure: (text) => explainFailure({ message: text }, text.split("\n")),
  parseGpus,
  parseDriverCuda,
  parseTopology,
};

/** Checks an agent's message against one assertion of each kind that the stand-in judge supports. */
function judge(text: string) {
  const claims = [
    "Agent should tell the user the price is $4.20.",
    "Agent should tell the user the colour is red.",
    "Agent should tell the user it went to 1 Road, Flat 2, Chicago.",
  ].flatMap(claimsOf);
  const messages = [
    { role: "assistant", content: text, toolCalls: null, cost: null } as const,
  ];
  const databases = { agent: world.database };
  return claims.map((claim) =>
    claim.kind !== "action" &&
    statementVerdict(claim, { messages, databases, claims })
  );
}

for (const [name, parse] of Object.entries(PARSERS)) {
  Deno.test(`${name} reads hostile text in n log n time`, () => {
    assertGrowth(name, {
      read: (text) => attempt(() => parse(text)),
      pieces: [...PIECES, ...SYNTAX],
      before: name.startsWith("read") || name.startsWith("parse")
        ? BEGUN
        : [""],
    });
  });
}

Deno.test("every pattern in the sources reads hostile text in n log n time", () => {
  const found = files.flatMap(([path, code]) =>
    regexLiterals(code).map((literal) => ({ path, literal }))
  );
  assert.ok(found.length > 400, `only ${found.length} patterns were found`);
  const used = new Set<string>();
  for (const { path, literal } of found) {
    const own = [path, `${path} /${literal.source}/`].find((key) =>
      OWN_TEXT[key] !== undefined
    );
    if (own !== undefined) used.add(own);
    else if (canBacktrack(literal)) assertPattern(path, literal);
  }
  assert.deepEqual([...used].sort(), Object.keys(OWN_TEXT).sort());
});

Deno.test("every module that builds patterns from strings is listed", () => {
  const making = files.filter(([, code]) => /\bRegExp\(/.test(code));
  assert.deepEqual(making.map(([path]) => path), MADE_OF_STRINGS);
});

Deno.test("regexLiterals() distinguishes patterns from divisions, strings, templates and comments", () => {
  const code = [
    "const a = b / c / d; // /no/",
    "const e = x[1]! / 2 / f(1) / 3; /* /no/ */",
    'call(/[/"]+/gu, "/no/", `/no/ ${/in/.test(`${1 / 2}`)} /no/`);',
    "return /a\\/b/.exec(text)?.[1] ?? (1) / 2 / 3;",
  ].join("\n");
  assert.deepEqual(
    regexLiterals(code).map(({ line, source, flags }) => [line, source, flags]),
    [[3, '[/"]+', "gu"], [3, "in", ""], [4, "a\\/b", ""]],
  );
});

Deno.test("superlinear() detects quadratic work, and accepts linear work", () => {
  const make = (size: number) => "a".repeat(size);
  const quadratic = superlinear((text) => text.match(/a*b/), make);
  assert.ok(quadratic !== undefined && quadratic > 9, `${quadratic}`);
  const linear = (text: string) => {
    for (let i = 0; i < 200; i++) JSON.parse(JSON.stringify(text));
  };
  assert.equal(superlinear(linear, make), undefined);
});

function assertPattern(path: string, { line, source, flags }: RegexLiteral) {
  const pattern = new RegExp(source, /[gy]/.test(flags) ? flags : `${flags}g`);
  const plain = source.replaceAll(/\\[bBsSdDwW]|\(\?[:<!=]+|[\^$()?*+|]/g, " ")
    .replaceAll(/\\(.)/g, "$1").trim();
  const words = (plain.match(/[\p{L}']{2,}/gu) ?? []).slice(0, 8);
  const start = plain.slice(0, 8);
  assertGrowth(`${path}:${line} /${source}/`, {
    read(text) {
      pattern.lastIndex = 0;
      for (let match; (match = pattern.exec(text)) !== null;) {
        if (match[0] === "") pattern.lastIndex++;
      }
    },
    pieces: [...PIECES, ...words.map((word) => `${word} `), start].filter(
      (piece) => piece !== "",
    ),
    before: ["", start, start.slice(0, 1)],
  });
}

/**
 * Checks whether a pattern may backtrack: whether it has an unbounded repetition or, if it can match only at the start
 * of the text, more than one.
 */
function canBacktrack({ source, flags }: RegexLiteral): boolean {
  const bare = source.replaceAll(/\\./g, "x").replaceAll(/\[[^\]]*\]/g, "x");
  const loops = bare.match(/[*+]|\{\d+,\}/g)?.length ?? 0;
  const isAnchored = bare.startsWith("^") && !flags.includes("m") &&
    !bare.includes("|");
  return loops > (isAnchored ? 1 : 0);
}

function assertGrowth(
  name: string,
  { read, pieces, before }: {
    read: (text: string) => unknown;
    pieces: readonly string[];
    before: readonly string[];
  },
): void {
  for (const piece of pieces) {
    for (const first of new Set(before)) {
      const make = (size: number) =>
        `${first}${piece.repeat(Math.ceil(size / piece.length))}\u0001`;
      const growth = superlinear(read, make);
      assert.equal(
        growth,
        undefined,
        `${name} on ${JSON.stringify(first)} and many ${
          JSON.stringify(piece)
        }: 4 times the text takes ${growth?.toFixed(1)} times as long`,
      );
    }
  }
}

/**
 * Runs a parser, which may reject the text. Fails only if the parser overflows the stack or exceeds the maximum string
 * length.
 */
function attempt(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    assert.doesNotMatch(String(error), /call stack|Invalid string length/);
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function answerOf(text: string, dataset: Dataset): void {
  const task = dataset.tasks("train")[0]!;
  const user = scriptedUser(dataset)(task, { seed: 1 });
  // Both answer before they wait for anything.
  void user.open().catch(() => {});
  void user.reply(text).catch(() => {});
}

function serve(text: string, dataset: Dataset): void {
  const task = dataset.tasks("train")[0]!;
  const session = expertAgent().start({
    dataset,
    task,
    seed: 1,
    firstMessage: text,
  });
  void session.act().catch(() => {});
}

function track({ user, agent }: { user: string; agent: string }): void {
  const task = world.tasks("train")[0]!;
  const turn: Turn = {
    action: { type: "respond", content: agent },
    observation: { source: "user", content: user, done: false },
  };
  trackUser({
    domain: domainNamed("retail"),
    task,
    database: world.database,
    firstMessage: user,
    turns: [turn, turn],
  });
}

/**
 * Returns the path and the source code of each TypeScript or JavaScript module in `env/`, `notebooks/`, `tasks/` and
 * `train/`, sorted by path.
 */
async function sources(): Promise<[path: string, code: string][]> {
  const root = new URL("../", import.meta.url);
  const found: [string, string][] = [];
  async function read(dir: string): Promise<void> {
    for await (
      const { name, isDirectory } of Deno.readDir(new URL(dir, root))
    ) {
      const path = `${dir}${name}`;
      if (isDirectory) await read(`${path}/`);
      else if (/\.(ts|js)$/.test(name)) {
        found.push([path, await Deno.readTextFile(new URL(path, root))]);
      }
    }
  }
  for (const dir of ["env/", "notebooks/", "tasks/", "train/"]) await read(dir);
  return found.sort(([a], [b]) => a < b ? -1 : 1);
}
