/**
 * Renders conversations as a model was taught to read them, by its Jinja chat template.
 *
 * A conversation is rendered at its end only: {@linkcode ChatTemplate.open} gives the text before the first
 * answer, {@linkcode ChatTemplate.proceed} what comes between an answer and the next. The cost is that of
 * the new messages. Where a template would render earlier messages otherwise once later ones are there
 * (Qwen3 drops `<think>` blocks), what stood there stays: see rewritten_prefix.ts.
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

/** An assistant's message. */
export type Answer = Extract<Message, { role: "assistant" }>;

/** What a chat template is made of. */
export interface ChatTemplateParts {
  /** The Jinja source. */
  readonly source: string;
  /** The token that closes an assistant's turn, `<|im_end|>`. */
  readonly endToken: string;
  /** Further tokens that may stand where an answer ends: GLM's turns end where `<|user|>` begins the next. */
  readonly stopTokens?: readonly string[];
  /** Tokens that must not arise from what people and tools write. */
  readonly addedTokens?: readonly AddedToken[];
  /** Further variables of the template: `{ enable_thinking: false, bos_token: "<s>" }`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /**
   * The time that a template's `strftime_now` shows, so that a conversation has the same tokens on another day.
   * Default: when the template is made, as transformers shows it.
   */
  readonly now?: Date | undefined;
}

/** What a rendering shows beside the messages. */
export interface RenderOptions {
  /** Default: none. */
  readonly tools?: readonly ToolSchema[];
  /** Whether the text ends where the assistant's answer begins. Default: false. */
  readonly generationPrompt?: boolean;
}

/** Stand where the texts of an earlier question and answer would be. Noncharacters, so they are not met in text. */
const QUESTION = "\uFDD2";
const ANSWER = "\uFDD0";
const PROBE_USER: Message = { role: "user", content: QUESTION };

/** An argument of a call that shows how a template prints it. Printable, since `repr` escapes what is not. */
const PROBE_ARGUMENT = "probe-argument";

/** What calls are answered with, to see whether a template shows each. */
const PROBE_ANSWERS = ["probe-answer-a", "probe-answer-b"];

/**
 * What a template takes a call's arguments as: an `object`, as transformers and inference servers give them; `text`
 * where the template only takes JSON that is printed already; or calls are `hidden`.
 */
type CallStyle = "object" | "text" | "hidden";

/** A model's chat template. Texts for encoding may carry marks of a {@linkcode Guard}; the tokenizer reads them. */
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

  /** @throws {DataError} If the source is not a template that can be read. */
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
   * The whole conversation as text, as Hugging Face's `apply_chat_template` renders it.
   * @throws {PolicyError} If the template refuses the messages.
   */
  render(messages: readonly Message[], options: RenderOptions = {}): string {
    // Templates look into what was said, Qwen3's for "<tool_response>": it has to be there as it was said.
    return unmark(this.#render(messages, { ...options, guards: NO_GUARDS }));
  }

  /**
   * The text before the first answer, marked for encoding.
   * @throws {PolicyError} If the template refuses the messages.
   */
  open(messages: readonly Message[], tools: readonly ToolSchema[]): string {
    return this.#render(messages, { tools, generationPrompt: true });
  }

  /**
   * The text between an answer and the next one, marked for encoding. It begins with the token that ends `answer`.
   * @param answer What was answered; only the calls in it matter, and to few templates.
   * @param messages What has been said since.
   * @throws {PolicyError} If the template refuses the messages or does not close answers with the end token.
   */
  proceed(answer: Answer, messages: readonly Message[]): string {
    const text = this.#render(
      [PROBE_USER, this.#hollow(answer), ...messages],
      { generationPrompt: true },
    );
    // The first placeholder is that of the answer: what people write comes after it.
    const inside = text.indexOf(ANSWER);
    this.#ends.lastIndex = Math.max(0, inside);
    const end = this.#ends.exec(text);
    if (inside >= 0 && end !== null) return text.slice(end.index);
    throw new PolicyError(
      `The chat template does not close an assistant's turn with its end token "${this.endToken}"`,
      { hint: "check eos_token in tokenizer_config.json" },
    );
  }

  /** Whether an answer with several calls can be continued by what each was answered with. */
  get takesSeveralCalls(): boolean {
    return this.#takesSeveral ??= this.#trySeveral();
  }

  /**
   * What the model would have sampled to give this answer, with the end token, marked for encoding.
   * @throws {PolicyError} If the template renders an answer otherwise than after its own generation prompt.
   */
  answer(answer: Answer): string {
    const prompt = this.#generationPrompt();
    const text = this.#render([PROBE_USER, answer], {});
    // The first placeholder is that of the question: the answer comes after it.
    const from = text.indexOf(prompt, text.indexOf(QUESTION));
    const end = text.lastIndexOf(this.endToken);
    if (from < 0 || end < from + prompt.length) {
      throw new PolicyError(
        `The chat template renders an answer as "${
          text.slice(0, 80)
        }", which does not continue its generation prompt "${
          prompt.slice(-80)
        }" up to "${this.endToken}"`,
        {
          hint:
            "set the template's variables so that both agree (for Qwen3: enable_thinking)",
        },
      );
    }
    return text.slice(from + prompt.length, end + this.endToken.length);
  }

  /** What the template writes where an answer is to begin. */
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

  /** A message in the fields that templates expect. */
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

  /** Tries how the template shows a call's arguments. */
  #probeCalls(): CallStyle {
    const shown = this.#tryCall(new Map([["a", PROBE_ARGUMENT]]));
    // A template that prints the value as Python spells it expects text there.
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
      // A template that closes each call by itself would show the later ones again.
      return PROBE_ANSWERS.every((one) => text.includes(one)) &&
        !text.includes(ANSWER);
    } catch (error) {
      if (error instanceof PolicyError) return false;
      throw error;
    }
  }

  /** The answer with its text gone: the same calls, the last thing in it the placeholder. */
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
        `The chat template cannot render the conversation: ${cause.message} (line ${cause.line} of the template)`,
        { cause },
      );
    }
  }
}

function parseTemplate(source: string): JinjaTemplate {
  try {
    return new JinjaTemplate(source);
  } catch (cause) {
    if (!(cause instanceof JinjaError)) throw cause;
    throw new DataError(
      `The chat template is not valid Jinja: ${cause.message} (line ${cause.line})`,
      { cause },
    );
  }
}

/** Tools as templates see them, made once for each list of them. */
function toolsValue(tools: readonly ToolSchema[]): Value {
  const known = TOOL_VALUES.get(tools);
  if (known !== undefined) return known;
  const value = tools.map(fromPlain);
  TOOL_VALUES.set(tools, value);
  return value;
}

const TOOL_VALUES = new WeakMap<readonly ToolSchema[], Value>();

/** A tool call in the fields that templates expect. */
function callValue(id: string, name: string, given: Value): Value {
  const call = new Map<Value, Value>([["name", name], ["arguments", given]]);
  return new Map<Value, Value>([
    ["id", id],
    ["type", "function"],
    ["function", call],
  ]);
}

/** What keeps each role from writing tokens. */
type Guards = Readonly<Record<Message["role"], Guard>>;

/** Users and tools may write nothing that is a token of its own, the assistant nothing that is control. */
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

/** A JSON value with every text in it marked. */
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

/** Settings of {@linkcode loadChatTemplate}. */
export interface LoadTemplateOptions {
  /** The same model's tokenizer. */
  readonly tokenizer: Tokenizer;
  /** Further variables of the template. Default: none. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What `strftime_now` shows. Default: the time of loading. */
  readonly now?: Date | undefined;
}

/**
 * Reads the chat template of a model directory: `chat_template.jinja`, else `chat_template` in
 * `tokenizer_config.json`, of several the one named `tool_use`, else `default`.
 * @throws {DataError} If there is none or it cannot be read.
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
 * Makes the chat template of parsed files.
 * @throws {DataError} If there is none or it cannot be read.
 */
export function createChatTemplate(
  { tokenizer, variables, now, config, jinja, origin = "the given files" }:
    & LoadTemplateOptions
    & {
      /** `tokenizer_config.json`, parsed. */
      readonly config: unknown;
      /** `chat_template.jinja`, where there is one. */
      readonly jinja?: string | undefined;
      /** Where the files are from, for errors. */
      readonly origin?: string;
    },
): ChatTemplate {
  const fields = new Map(Object.entries(Object(config)));
  const source = jinja ?? templateSource(fields.get("chat_template"));
  if (source === undefined) {
    throw new DataError(
      `There is no chat template in "${origin}": neither "chat_template.jinja" nor "chat_template" in "tokenizer_config.json"`,
      { path: origin, hint: "take that of an instruction-tuned model" },
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

/** `bos_token`, `eos_token` and their like, which templates may print. */
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
