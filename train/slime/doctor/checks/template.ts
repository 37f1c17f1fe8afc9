/** Checks that the tokenizer and chat template produce exactly the same text and token ids as in Python. */

import { z } from "zod";
import { DataError } from "../../../../env/errors.ts";
import {
  Float,
  fromPlain,
  type JsonValue,
  printPythonJson,
} from "../../../../env/python/python_json.ts";
import { thinkingVariables } from "../../../../env/models/thought.ts";
import type { Codec } from "../../../../env/tokens/conversation.ts";
import type { Message, ToolSchema } from "../../../../env/types.ts";
import type { Shell } from "../../hosts/shell.ts";
import type { ModelShape } from "../../model_shapes.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  onEachHost,
  verdict,
  warn,
} from "../check.ts";
import { runPython } from "../host_python.ts";

/** The `template` check. */
export const check: Check = {
  id: "template",
  order: 110,
  title:
    "a conversation with tools renders to the same text and tokens as in Python",
  timeoutMs: 180_000,
  async run(context) {
    const codec = await context.facts.codec();
    const faults = vocabularyFaults(codec, context.model);
    if (faults.length > 0) return faults;
    return await onEachHost(
      context.hosts,
      (host) => compare(host, { context, codec }),
    );
  },
};

/** Checks the size of the vocabulary, and the end token. These checks do not need Python. */
function vocabularyFaults(
  { tokenizer }: Codec,
  { vocab: rows, modelType, arguments: words }: ModelShape,
): Observed[] {
  const isQwen3 = words === undefined || modelType === "qwen3_moe";
  const { vocabSize, endToken } = tokenizer;
  const end = tokenizer.encode(endToken);
  const highest = Math.max(0, ...tokenizer.addedTokens.map(({ id }) => id));
  return [
    ...(vocabSize > rows || highest >= rows
      ? [fail(
        `the tokenizer has ids up to ${
          Math.max(vocabSize - 1, highest)
        }, but the model's embedding has ${rows} rows`,
        "use the tokenizer and the weights of the same model",
      )]
      : []),
    ...(end.length === 1 ? [] : [fail(
      `the end token ${endToken} is encoded as ${end.length} tokens instead of 1${
        end.length === 0 ? "" : `: ${end.join(", ")}`
      }`,
      "use tokenizer.json and tokenizer_config.json from the same model",
    )]),
    ...(endToken === "<|im_end|>" || !isQwen3 ? [] : [warn(
      `answers end with ${endToken} instead of <|im_end|>`,
      "use the tokenizer of the instruction-tuned model",
    )]),
  ];
}

/** A Python program that renders the conversation with transformers, in the same way as slime's engines and trainer. */
const PROGRAM = `
try:
    from transformers import AutoTokenizer, __version__
except ImportError as error:
    print(json.dumps({"missing": str(error)}))
    raise SystemExit
tokenizer = AutoTokenizer.from_pretrained(CASE["directory"], trust_remote_code=False)
text = tokenizer.apply_chat_template(CASE["messages"], tools=CASE["tools"], tokenize=False, add_generation_prompt=True, **CASE["variables"])
ids = tokenizer(text, add_special_tokens=False)["input_ids"]
print(json.dumps({"version": __version__, "text": text, "ids": ids, "size": len(tokenizer)}))
`;

const answerSchema = z.union([
  z.object({ missing: z.string() }),
  z.object({
    version: z.string(),
    text: z.string(),
    ids: z.array(z.int()),
    size: z.int(),
  }),
]);

async function compare(
  host: Shell,
  { context: { config, model: { vocab }, signal }, codec }: {
    context: CheckContext;
    codec: Codec;
  },
): Promise<readonly Observed[]> {
  const { paths, model } = config;
  const answer = await runPython(host, paths.python, {
    program: PROGRAM,
    input: printPythonJson(
      new Map<string, JsonValue>([
        ["directory", model.directory],
        ["messages", MESSAGES.map(asPython)],
        ["tools", fromPlain(TOOLS)],
        ["variables", fromPlain(thinkingVariables(model.thinking))],
      ]),
    ),
    output: answerSchema,
    env: { HF_HUB_OFFLINE: "1", TRANSFORMERS_VERBOSITY: "error" },
    signal,
  }).catch((error: unknown) => {
    if (!(error instanceof DataError)) throw error;
    return { broken: error.message };
  });
  if ("missing" in answer) {
    return [withoutTransformers(paths.python, answer.missing)];
  }
  if ("broken" in answer) return [brokenPython(answer.broken)];
  return judge(answer, { codec, vocab });
}

function withoutTransformers(python: string, why: string): Observed {
  return warn(
    `the conversation was not compared, because "${python}" cannot import transformers (${why})`,
    `run "deno task setup", or set paths.python to the interpreter that has slime`,
  );
}

function brokenPython(why: string): Observed {
  return fail(
    `Python cannot render the conversation: ${why}`,
    'fix what the checks "software" and "model-files" report',
  );
}

function judge(
  answer: { readonly version: string; text: string; ids: readonly number[] },
  { codec: { template, tokenizer }, vocab }: {
    readonly codec: Codec;
    readonly vocab: number;
  },
): readonly Observed[] {
  const ours = template.render(MESSAGES, {
    tools: TOOLS,
    generationPrompt: true,
  });
  const ids = tokenizer.encode(ours);
  const fix =
    "update transformers on the hosts, or report the difference as a bug in taulab";
  const faults = ours === answer.text ? idFaults(ids, answer.ids) : [
    `the text differs: ${difference(ours, answer.text)}`,
  ];
  const beyond = answer.ids.find((id) => id >= vocab);
  return verdict(
    [
      ...faults.map((fault) => fail(fault, fix)),
      ...(beyond === undefined ? [] : [fail(
        `id ${beyond} is out of range: the embedding has ${vocab} rows`,
        "use the tokenizer and the weights of the same model",
      )]),
    ],
    `the text and its ${ids.length} ids equal those of transformers ${answer.version}`,
  );
}

function idFaults(
  ours: readonly number[],
  theirs: readonly number[],
): string[] {
  const at = ours.findIndex((id, i) => id !== theirs[i]);
  if (at < 0 && ours.length === theirs.length) return [];
  const place = at < 0 ? ours.length : at;
  return [
    `token ${place} of the same text is ${
      ours[place] ?? "missing"
    } in taulab, but ${theirs[place] ?? "missing"} in Python`,
  ];
}

function difference(ours: string, theirs: string): string {
  let at = 0;
  while (at < ours.length && ours[at] === theirs[at]) at++;
  const cut = (text: string) => JSON.stringify(text.slice(at, at + 40));
  return `from character ${at} on it is ${cut(ours)} in taulab, but ${
    cut(theirs)
  } in Python`;
}

/**
 * The tools of the test conversation, which covers everything that templates are known to treat specially, such as
 * several tools, numbers, and letters outside ASCII.
 */
const TOOLS: readonly ToolSchema[] = [
  tool(
    "get_order_details",
    "Get the state of an order: “#W1”, its items & price.",
    {
      order_id: { type: "string", description: "Such as '#W0000000'." },
    },
  ),
  tool("refund", "Pay back.", {
    amount: { type: "number", minimum: 0.5 },
    items: { type: "array", items: { type: "string" } },
  }),
];

const MESSAGES: readonly Message[] = [
  { role: "system", content: "You serve users.\n\n- Be kind – always." },
  { role: "user", content: "Hi! Where is #W1? I paid 20 € at <Müller>." },
  {
    role: "assistant",
    content: "Let me look.",
    toolCalls: [{
      id: "call00000",
      name: "get_order_details",
      arguments: new Map([["order_id", "#W1"]]),
    }],
  },
  {
    role: "tool",
    name: "get_order_details",
    toolCallId: "call00000",
    content: '{"status": "delivered", "price": 20.0}',
  },
  {
    role: "assistant",
    content: "",
    toolCalls: [{
      id: "call00010",
      name: "refund",
      arguments: new Map<string, JsonValue>([
        ["amount", new Float(20)],
        ["items", ['日本 "tea"', "\\n"]],
        ["note", null],
        ["now", true],
      ]),
    }],
  },
  {
    role: "tool",
    name: "refund",
    toolCallId: "call00010",
    content: "Error: no",
  },
  { role: "assistant", content: "It cannot be paid back.  Sorry." },
  { role: "user", content: "  Why?\n\n" },
];

function tool(
  name: string,
  description: string,
  properties: Readonly<Record<string, unknown>>,
): ToolSchema {
  const required = Object.keys(properties).slice(0, 1);
  const parameters = { type: "object", properties, required };
  return { type: "function", function: { name, description, parameters } };
}

function asPython(message: Message): JsonValue {
  const fields: [string, JsonValue][] = [
    ["role", message.role],
    ["content", message.content],
  ];
  if (message.role === "tool") fields.push(["name", message.name]);
  if (message.role === "assistant" && message.toolCalls !== undefined) {
    const calls = message.toolCalls.map(({ name, arguments: given }) =>
      new Map<string, JsonValue>([
        ["type", "function"],
        [
          "function",
          new Map<string, JsonValue>([["name", name], ["arguments", given]]),
        ],
      ])
    );
    fields.push(["tool_calls", calls]);
  }
  return new Map(fields);
}
