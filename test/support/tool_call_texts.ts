/** Provides texts with tool calls in every format: complete calls, and pieces of calls in any order. */

import fc from "fast-check";
import type { ToolCallFormat } from "../../env/tokens/tool_calls/tool_call_format.ts";
import type { ToolSchema } from "../../env/types.ts";

/** Tools with parameters of every type that parsers treat specially. */
export const CALL_TOOLS: readonly ToolSchema[] = [
  tool("pay", {
    n: { type: "integer" },
    x: { type: "number" },
    s: { type: "string" },
    b: { type: "boolean" },
    o: { type: "object" },
    l: { type: "array", items: {} },
    any: { anyOf: [{ type: "number" }, { type: "null" }] },
    e: { enum: ["a", 1] },
    two: { type: ["integer", "null"] },
    free: {},
  }),
  tool("look", {}),
];

function tool(
  name: string,
  properties: Readonly<Record<string, unknown>>,
): ToolSchema {
  const parameters = { type: "object", properties };
  return { type: "function", function: { name, description: "", parameters } };
}

const KEYS = ["n", "x", "s", "b", "o", "l", "any", "e", "two", "free", "zz"];

/** Texts of argument values that models may write, valid and invalid. */
const VALUES = [
  "1",
  "-1",
  "007",
  "1.0",
  "1e3",
  "1_000",
  " 12 ",
  "0x1F",
  "NaN",
  "-Infinity",
  "inf",
  "123456789012345678901",
  "true",
  "True",
  "null",
  "None",
  "NULL",
  "#W1",
  '"quoted"',
  '"12"',
  "'single'",
  '\\"esc\\"',
  '{\\"a\\": 1}',
  '{"a": [1, 2.0, null]}',
  "{'a': (1, 2.50)}",
  "{1: 2, True: 3, None: 4, 1.5: 5}",
  "[1, 2,]",
  "(1, 2)",
  "(1,)",
  "1, 2",
  "[1, -2, +3]",
  "[]",
  "{}",
  "()",
  "...",
  "a b",
  "1+2",
  "2j",
  "{1}",
  "b'x'",
  "'a' 'b'",
  "[[[[[1]]]]]",
  "",
  "\n",
  "\n\n5\n\n",
  "é 日本 😀",
  "a<b>c",
  "</s>",
];

const JSON_CALLS = [
  '{"name": "pay", "arguments": {"n": 1, "x": 2.0}}',
  '{"name": "look"}',
  '{"name": "look", "parameters": {}, "arguments": {"a": "é"}}',
  '[{"name": "pay", "arguments": {}}, {"name": "look"}]',
  '{"name": "steal", "arguments": {}}',
  '{"name": "pay", }',
  '{"name": ["pay"]}',
  "5",
  "null",
  "",
  " ",
];

/** The pieces that make up the texts of each format. */
const PIECES: Readonly<Record<ToolCallFormat, readonly string[]>> = {
  qwen25: ["<tool_call>\n", "\n</tool_call>", "<tool_call>", "</tool_call>"]
    .concat(JSON_CALLS),
  hermes: ["<tool_call>", "</tool_call>", "<tool_call>\n"].concat(JSON_CALLS),
  qwen3_coder: [
    "<tool_call>",
    "</tool_call>",
    "<function=pay>",
    "<function=steal>",
    "<function=",
    "</function>",
    "</parameter>",
    "<parameter=",
    ...KEYS.map((key) => `<parameter=${key}>`),
    ...VALUES,
  ],
  glm45: [
    "<tool_call>pay\n",
    "<tool_call>look\\n",
    "<tool_call>steal\n",
    "<tool_call>",
    "</tool_call>",
    "<arg_key>",
    "</arg_key>",
    "</arg_key>\n<arg_value>",
    "<arg_value>",
    "</arg_value>",
    "\\n",
    ...KEYS,
    ...VALUES,
  ],
  pythonic: [
    "[",
    "]",
    "[pay(",
    "[look()",
    "[steal(",
    "pay(",
    "look()",
    "n=1",
    "s='a'",
    'o={"a": [1, "b", None, True], 2: b"x"}',
    "x=-1",
    "x=1.5e3",
    "l=[]",
    "any=...",
    "e=(1, 2)",
    "**{'q': 1}",
    "*z",
    "f'x'",
    ")",
    ")]",
    ", ",
    "\n",
    "<|python_start|>",
    "<|python_end|>",
    "a.b(n=2)",
  ],
  deepseekv3: [
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁sep｜>",
    "function",
    "pay",
    "look",
    "\n```json\n",
    "\n```",
    '{"n": 1}',
    "[]",
    "0",
    "{,}",
  ],
  "gpt-oss": [
    "<|start|>",
    "assistant",
    "<|channel|>",
    "<|message|>",
    "<|constrain|>",
    "<|end|>",
    "<|call|>",
    "<|return|>",
    "<|start|>assistant<|channel|>commentary",
    " to=functions.pay <|constrain|>json",
    " to=look<|constrain|>json<|message|>",
    " to=steal <|constrain|>json<|message|>",
    "analysis",
    "commentary",
    "final",
    "comm",
    "<|weird|>",
    "<|we",
    "|>",
    '{"n": 1}',
    "{,}",
    " ",
  ],
};

const LOOSE = ["Let me see.", " ", "\n", "\u0085", "\uFEFF", ","];

/** Returns the pieces that make up the texts of a format. */
export function piecesOf(format: ToolCallFormat): readonly string[] {
  return [...PIECES[format], ...LOOSE];
}

/** Returns arbitrary texts that join pieces of a format in any order. */
export function brokenTexts(format: ToolCallFormat): fc.Arbitrary<string> {
  const piece = fc.constantFrom(...piecesOf(format));
  return fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(""));
}

/**
 * Returns arbitrary texts with one or two complete calls in a format, with any value for any parameter. Other text may
 * surround the calls.
 */
export function wholeTexts(format: ToolCallFormat): fc.Arbitrary<string> {
  const given = fc.array(
    fc.tuple(fc.constantFrom(...KEYS), fc.constantFrom(...VALUES)),
    { maxLength: 4 },
  );
  const name = fc.constantFrom("pay", "pay", "look", "steal", "");
  const call = fc.tuple(name, given, fc.constantFrom(...JSON_CALLS));
  const loose = fc.constantFrom("", ...LOOSE);
  return fc.tuple(loose, fc.array(call, { minLength: 1, maxLength: 2 }), loose)
    .map(([before, calls, after]) =>
      before + wrapCalls(format, calls.map((one) => CALLS[format](...one))) +
      after
    );
}

type Given = readonly (readonly [key: string, value: string])[];

const CALLS: Readonly<
  Record<ToolCallFormat, (name: string, given: Given, json: string) => string>
> = {
  qwen25: (_, __, json) => `<tool_call>\n${json}\n</tool_call>`,
  hermes: (_, __, json) => `<tool_call>${json}</tool_call>`,
  qwen3_coder: (name, given) =>
    `<tool_call>\n<function=${name}>\n${
      given.map(([key, value]) =>
        `<parameter=${key}>\n${value}\n</parameter>\n`
      ).join("")
    }</function>\n</tool_call>`,
  glm45: (name, given) =>
    `<tool_call>${name}\n${
      given.map(([key, value]) =>
        `<arg_key>${key}</arg_key>\n<arg_value>${value}</arg_value>\n`
      ).join("")
    }</tool_call>`,
  pythonic: (name, given) =>
    `${name}(${given.map(([key, value]) => `${key}=${value}`).join(", ")})`,
  deepseekv3: (name, _, json) =>
    `<｜tool▁call▁begin｜>function<｜tool▁sep｜>${name}\n\`\`\`json\n${json}\n\`\`\`<｜tool▁call▁end｜>`,
  "gpt-oss": (name, _, json) =>
    `<|start|>assistant<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${json}<|call|>`,
};

function wrapCalls(format: ToolCallFormat, calls: readonly string[]): string {
  switch (format) {
    case "pythonic":
      return `[${calls.join(", ")}]`;
    case "deepseekv3":
      return `<｜tool▁calls▁begin｜>${calls.join("\n")}<｜tool▁calls▁end｜>`;
    default:
      return calls.join("\n");
  }
}
