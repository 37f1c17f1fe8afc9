/**
 * Renders conversations with a model's Jinja chat template, in the format that the model was trained on.
 *
 * Rendering is incremental: {@linkcode ChatTemplate.open} returns the text before the first answer, and {@linkcode
 * ChatTemplate.proceed} returns the text between an answer and the next answer. The cost of each call is proportional
 * to the length of the new messages. Some templates render earlier messages differently when messages are added (Qwen3
 * drops `<think>` blocks). Incremental rendering never changes earlier text. See rewritten_prefix.ts.
 */

import * as z from "zod";
import { DataError, PolicyError } from "../errors.ts";
import {
  fromPlain,
  type JsonValue,
  printPythonJson,
} from "../python/python_json.ts";
import type { Message, ToolCall, ToolSchema } from "../types.ts";
import { alternation, Guard, unmark } from "./guard.ts";
import { JinjaError } from "./jinja/template_error.ts";
import { JinjaTemplate } from "./jinja/template.ts";
import type { Value } from "./jinja/values.ts";
import { readModelFile, readOptionalText } from "./model_dir.ts";
import type { AddedToken, Tokenizer } from "./tokenizer.ts";

/** An assistant message. */
export type Answer = Extract<Message, { role: "assistant" }>;

/** Options for {@linkcode ChatTemplate}. */
export interface ChatTemplateParts {
  /** The Jinja source. */
  readonly source: string;
  /** The token that ends an assistant's turn, such as `<|im_end|>`. */
  readonly endToken: string;
  /**
   * Other tokens that may end an answer. For example, GLM ends its turns with `<|user|>`, which begins the next turn.
   * Default: none.
   */
  readonly stopTokens?: readonly string[];
  /**
   * The tokenizer's added tokens. If a message of a user or tool contains the text of an added token, that text is
   * encoded as ordinary text. In an answer, this applies only to control tokens. Default: none.
   */
  readonly addedTokens?: readonly AddedToken[];
  /** Extra template variables, such as `{ enable_thinking: false, bos_token: "<s>" }`. Default: none. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /**
   * The time that `strftime_now` formats. Set it to get the same tokens for a conversation on any day. Default: the
   * time when the template is created.
   */
  readonly now?: Date | undefined;
}

/** Options for {@linkcode ChatTemplate.render}. */
export interface RenderOptions {
  /** The tools to show. Default: none. */
  readonly tools?: readonly ToolSchema[];
  /** Whether to end the text with the beginning of the next answer. Default: false. */
  readonly generationPrompt?: boolean;
}

/** The placeholder for an earlier question. It is a Unicode noncharacter, which does not occur in ordinary text. */
const QUESTION = "\uFDD2";
/** The placeholder for an earlier answer. It is a Unicode noncharacter, which does not occur in ordinary text. */
const ANSWER = "\uFDD0";
const PROBE_USER: Message = { role: "user", content: QUESTION };

/**
 * An argument of a test call. The call is rendered to detect how a template formats calls. The argument consists of
 * printable characters, since `repr` escapes other characters.
 */
const PROBE_ARGUMENT = "probe-argument";

/** Results of two test calls. They are rendered to detect whether a template includes the result of every call. */
const PROBE_ANSWERS = ["probe-answer-a", "probe-answer-b"];

/**
 * The form in which a template expects the arguments of a call. `object`: as an object, the convention of transformers
 * and inference servers. `text`: as JSON text. `hidden`: the template does not render calls.
 */
type CallStyle = "object" | "text" | "hidden";

/**
 * A model's chat template. Some methods return a text that is marked for encoding: it contains the marks of a
 * {@linkcode Guard}, which the tokenizer interprets.
 */
export class ChatTemplate {
  readonly endToken: string;
  readonly #ends: RegExp;
  readonly #template: JinjaTemplate;
  readonly #variables: ReadonlyMap<string, Value>;
  readonly #now: Date;
  readonly #guards: Guards;
  readonly #calls: CallStyle;
  #prompt: string | null = null;
  #takesSeveral: boolean | null = null;

  /**
   * Compiles a template and detects how it renders calls.
   * @throws {DataError} If the source is not a valid template.
   */
  constructor(parts: ChatTemplateParts) {
    this.endToken = parts.endToken;
    const { endToken, stopTokens = [] } = parts;
    this.#ends = alternation([endToken, ...stopTokens])!;
    this.#variables = new Map<string, Value>([
      ["documents", null],
      ...Object.entries(parts.variables ?? {}).map((
        [name, value],
      ): [string, Value] => [name, fromPlain(value)]),
    ]);
    this.#now = parts.now ?? new Date();
    this.#template = parseTemplate(parts.source);
    this.#guards = guardsFor(parts.addedTokens ?? []);
    this.#calls = this.#probeCalls();
  }

  /**
   * Renders a whole conversation in the same way as Hugging Face's `apply_chat_template`.
   * @throws {PolicyError} If the template rejects the messages.
   */
  render(messages: readonly Message[], options: RenderOptions = {}): string {
    // Templates inspect message contents (Qwen3 searches for "<tool_response>"), so these must not contain marks.
    return unmark(this.#render(messages, { ...options, guards: NO_GUARDS }));
  }

  /**
   * Renders the text before the first answer. The result is marked for encoding.
   * @throws {PolicyError} If the template rejects the messages.
   */
  open(messages: readonly Message[], tools: readonly ToolSchema[]): string {
    return this.#render(messages, { tools, generationPrompt: true });
  }

  /**
   * Renders the text between an answer and the next answer. The result is marked for encoding, and begins with the
   * token that ends `answer`.
   * @param answer The previous answer. Only its calls affect the result, and only in a few templates.
   * @param messages All messages after the previous answer.
   * @throws {PolicyError} If the template rejects the messages or does not end answers with the end token.
   */
  proceed(answer: Answer, messages: readonly Message[]): string {
    const text = this.#render(
      [PROBE_USER, this.#hollow(answer), ...messages],
      { generationPrompt: true },
    );
    // The first placeholder belongs to the answer: message contents come after it.
    const inside = text.indexOf(ANSWER);
    this.#ends.lastIndex = Math.max(0, inside);
    const end = this.#ends.exec(text);
    if (inside >= 0 && end !== null) return text.slice(end.index);
    throw new PolicyError(
      `The chat template does not end an assistant turn with the end token "${this.endToken}"`,
      {
        hint:
          "set eos_token in tokenizer_config.json to the token that ends a turn",
      },
    );
  }

  /** Whether the template can render an answer with several parallel calls, followed by their results. */
  get supportsParallelCalls(): boolean {
    return this.#takesSeveral ??= this.#trySeveral();
  }

  /**
   * Renders the text that the model would have sampled for this answer, including the end token. The result is marked
   * for encoding.
   * @throws {PolicyError} If the template rejects the answer, or does not render it between the generation prompt and
   * the end token.
   */
  answer(answer: Answer): string {
    const prompt = this.#generationPrompt();
    const text = this.#render([PROBE_USER, answer], {});
    // The first placeholder belongs to the question: the answer comes after it.
    const from = text.indexOf(prompt, text.indexOf(QUESTION));
    const end = text.lastIndexOf(this.endToken);
    if (from < 0 || end < from + prompt.length) {
      throw new PolicyError(
        `The chat template must render an answer between the generation prompt "${
          prompt.slice(-80)
        }" and the end token "${this.endToken}", but it renders "${
          text.slice(0, 80)
        }"`,
        {
          hint:
            "set the template's variables so that an answer starts with the generation prompt (for Qwen3: enable_thinking)",
        },
      );
    }
    return text.slice(from + prompt.length, end + this.endToken.length);
  }

  /** Returns the text that the template writes at the beginning of an answer. */
  #generationPrompt(): string {
    if (this.#prompt !== null) return this.#prompt;
    const without = this.#render([PROBE_USER], {});
    const text = this.#render([PROBE_USER], { generationPrompt: true });
    return this.#prompt = text.startsWith(without)
      ? text.slice(without.length)
      : text;
  }

  #render(
    messages: readonly Message[],
    options: RenderOptions & { readonly guards?: Guards },
  ): string {
    const { tools = [], generationPrompt = false, guards = this.#guards } =
      options;
    return this.#run(
      messages.map((message) => this.#view(message, guards)),
      { tools: tools.length > 0 ? toolsValue(tools) : null, generationPrompt },
    );
  }

  /** Converts a message to an object with the fields that templates expect. */
  #view(message: Message, guards: Guards): Value {
    const view = new Map<Value, Value>([
      ["role", message.role],
      ["content", guards[message.role].mark(message.content)],
    ]);
    if (message.role === "tool") {
      view.set("name", message.name);
      view.set("tool_call_id", message.toolCallId);
    }
    if (message.role === "assistant" && message.toolCalls?.length) {
      view.set(
        "tool_calls",
        message.toolCalls.map((call) => this.#viewCall(call, guards.assistant)),
      );
    }
    return view;
  }

  #viewCall(call: ToolCall, guard: Guard): Value {
    const given = this.#calls === "text"
      ? guard.mark(printPythonJson(call.arguments, { ensureAscii: false }))
      : markAll(call.arguments, guard);
    return callValue(call.id, guard.mark(call.name), given);
  }

  /** Detects how the template expects a call's arguments. */
  #probeCalls(): CallStyle {
    const shown = this.#tryCall(new Map([["a", PROBE_ARGUMENT]]));
    // A template that prints the object with Python's repr expects text instead.
    const isShown = shown.includes(PROBE_ARGUMENT);
    if (isShown && !shown.includes(`{'a': '${PROBE_ARGUMENT}'}`)) {
      return "object";
    }
    const text = '{"a": 1.0}';
    if (this.#tryCall(text).includes(text)) return "text";
    return isShown ? "object" : "hidden";
  }

  #tryCall(given: Value): string {
    const question = new Map<Value, Value>([
      ["role", PROBE_USER.role],
      ["content", PROBE_USER.content],
    ]);
    const answer = new Map<Value, Value>([
      ["role", "assistant"],
      ["content", ""],
      ["tool_calls", [callValue("call00000", "f", given)]],
    ]);
    try {
      return this.#run([question, answer], {
        tools: null,
        generationPrompt: false,
      });
    } catch (error) {
      if (error instanceof PolicyError) return "";
      throw error;
    }
  }

  #trySeveral(): boolean {
    const calls = PROBE_ANSWERS.map((_, i) => ({
      id: `call0000${i}`,
      name: "f",
      arguments: new Map(),
    }));
    const messages = calls.map(({ id, name }, i): Message => ({
      role: "tool",
      name,
      toolCallId: id,
      content: PROBE_ANSWERS[i]!,
    }));
    try {
      const answer: Answer = {
        role: "assistant",
        content: "",
        toolCalls: calls,
      };
      const text = unmark(this.proceed(answer, messages));
      // A template that ends the turn after each call would render the later calls again.
      return PROBE_ANSWERS.every((one) => text.includes(one)) &&
        !text.includes(ANSWER);
    } catch (error) {
      if (error instanceof PolicyError) return false;
      throw error;
    }
  }

  /**
   * Returns a copy of an answer with a placeholder instead of its text or arguments. In the rendered text, the
   * placeholder shows where the answer ends.
   */
  #hollow(answer: Answer): Answer {
    const calls = this.#calls === "hidden" ? [] : answer.toolCalls ?? [];
    if (calls.length === 0) return { role: "assistant", content: ANSWER };
    return {
      role: "assistant",
      content: "",
      toolCalls: calls.map((call) => ({
        ...call,
        arguments: new Map([["x", ANSWER]]),
      })),
    };
  }

  #run(
    messages: Value[],
    { tools, generationPrompt }: {
      readonly tools: Value;
      readonly generationPrompt: boolean;
    },
  ): string {
    const variables = new Map<string, Value>(this.#variables)
      .set("messages", messages)
      .set("tools", tools)
      .set("add_generation_prompt", generationPrompt);
    try {
      return this.#template.render(variables, { now: this.#now });
    } catch (cause) {
      if (!(cause instanceof JinjaError)) throw cause;
      throw new PolicyError(
        `The chat template cannot render the conversation: ${cause.message}${
          lineOf(cause)
        }`,
        { cause },
      );
    }
  }
}

/**
 * Returns the position of an error in a template, as a suffix for messages. The suffix is empty if the line is not
 * known, which may be the case if a limit was exceeded.
 */
function lineOf({ line }: JinjaError): string {
  return line === 0 ? "" : ` (line ${line} of the template)`;
}

function parseTemplate(source: string): JinjaTemplate {
  try {
    return new JinjaTemplate(source);
  } catch (cause) {
    if (!(cause instanceof JinjaError)) throw cause;
    throw new DataError(
      `The chat template is not valid Jinja: ${cause.message}${lineOf(cause)}`,
      { cause },
    );
  }
}

/** Converts tools to template values. The result is cached for each list. */
function toolsValue(tools: readonly ToolSchema[]): Value {
  const known = TOOL_VALUES.get(tools);
  if (known !== undefined) return known;
  const value = tools.map(fromPlain);
  TOOL_VALUES.set(tools, value);
  return value;
}

const TOOL_VALUES = new WeakMap<readonly ToolSchema[], Value>();

/** Converts a tool call to an object with the fields that templates expect. */
function callValue(id: string, name: string, given: Value): Value {
  const call = new Map<Value, Value>([["name", name], ["arguments", given]]);
  return new Map<Value, Value>([
    ["id", id],
    ["type", "function"],
    ["function", call],
  ]);
}

/** The guard for each role. It marks the tokens in the role's messages that must be encoded as ordinary text. */
type Guards = Readonly<Record<Message["role"], Guard>>;

/**
 * Creates the guards. They mark all added tokens in messages of users and tools, only control tokens in messages of the
 * assistant, and none in system messages.
 */
function guardsFor(tokens: readonly AddedToken[]): Guards {
  const all = new Guard(tokens.map(({ content }) => content));
  const control = tokens.filter(({ special }) => special);
  return {
    system: new Guard([]),
    user: all,
    tool: all,
    assistant: new Guard(control.map(({ content }) => content)),
  };
}

const NO_GUARDS = guardsFor([]);

/** Converts a JSON value to a template value in which every string is marked by the guard. */
function markAll(value: JsonValue, guard: Guard): Value {
  if (typeof value === "string") return guard.mark(value);
  if (Array.isArray(value)) return value.map((item) => markAll(item, guard));
  if (!(value instanceof Map)) return value;
  return new Map(
    Array.from(
      value,
      ([key, item]) => [guard.mark(key), markAll(item, guard)] as const,
    ),
  );
}

const namedTemplates = z.array(
  z.object({ name: z.string(), template: z.string() }),
);
const tokenText = z.union([
  z.string(),
  z.object({ content: z.string() }).transform((token) => token.content),
]);

/** Options for {@linkcode loadChatTemplate}. */
export interface LoadTemplateOptions {
  /** The tokenizer of the same model. */
  readonly tokenizer: Tokenizer;
  /** Extra template variables. Default: none. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The time that `strftime_now` formats. Default: the time when the template is loaded. */
  readonly now?: Date | undefined;
}

/**
 * Loads the chat template of a model directory from the file `chat_template.jinja`. If that file does not exist, the
 * key `chat_template` in `tokenizer_config.json` is used. If the key contains several named templates, `tool_use` takes
 * precedence over `default`.
 * @throws {DataError} If there is no template or it is invalid.
 */
export async function loadChatTemplate(
  dir: string,
  options: LoadTemplateOptions,
): Promise<ChatTemplate> {
  const jinja = await readOptionalText(`${dir}/chat_template.jinja`);
  const config = await readModelFile(dir, "tokenizer_config.json");
  return createChatTemplate({ ...options, config, jinja, origin: dir });
}

/**
 * Creates a chat template from parsed files.
 * @throws {DataError} If there is no template or it is invalid.
 */
export function createChatTemplate(
  { tokenizer, variables, now, config, jinja, origin }:
    & LoadTemplateOptions
    & {
      /** The parsed `tokenizer_config.json`. */
      readonly config: unknown;
      /** The text of `chat_template.jinja`, if it exists. */
      readonly jinja?: string | undefined;
      /** The directory of the files, as named in error messages. Default: none. */
      readonly origin?: string | undefined;
    },
): ChatTemplate {
  const fields = new Map(Object.entries(Object(config)));
  const source = jinja ?? templateSource(fields.get("chat_template"));
  if (source === undefined) {
    throw new DataError(
      `Cannot find a chat template${
        origin === undefined ? "" : ` in "${origin}"`
      }: there is neither a file "chat_template.jinja" nor the key "chat_template" in "tokenizer_config.json"`,
      {
        ...origin === undefined ? {} : { path: origin },
        hint:
          "use an instruction-tuned model, or copy the chat template of such a model into the directory",
      },
    );
  }
  const { endToken, stopIds, addedTokens } = tokenizer;
  return new ChatTemplate({
    source,
    endToken,
    stopTokens: addedTokens.filter(({ id }) => stopIds.includes(id))
      .map(({ content }) => content),
    addedTokens,
    variables: { ...specialTokens(fields), ...variables },
    now,
  });
}

function templateSource(field: unknown): string | undefined {
  if (typeof field === "string") return field;
  const named = namedTemplates.safeParse(field);
  if (!named.success) return undefined;
  const byName = new Map(
    named.data.map(({ name, template }) => [name, template]),
  );
  return byName.get("tool_use") ?? byName.get("default");
}

/** Returns the special tokens that templates may print, such as `bos_token` and `eos_token`. */
function specialTokens(
  fields: ReadonlyMap<string, unknown>,
): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const [name, value] of fields) {
    const text = tokenText.safeParse(value);
    if (name.endsWith("_token") && text.success) tokens[name] = text.data;
  }
  return tokens;
}
