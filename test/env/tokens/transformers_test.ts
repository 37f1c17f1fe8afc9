import assert from "node:assert/strict";
import fc from "fast-check";
import { tokenChatModel } from "../../../env/models/token_chat.ts";
import type { ChatTemplate } from "../../../env/tokens/chat_template.ts";
import { TokenConversation } from "../../../env/tokens/conversation.ts";
import type { Tokenizer } from "../../../env/tokens/tokenizer.ts";
import type { Message } from "../../../env/types.ts";
import { conversations } from "../../support/conversations.ts";
import {
  type EpisodeMessages,
  fuzzedEpisodes,
  generatedEpisodes,
  goldEpisodes,
  modelEpisodes,
} from "../../support/episode_messages.ts";
import { HAND_MADE, YOUNG_LETTERS } from "../../support/hand_made_episodes.ts";
import { withoutPython } from "../../support/python.ts";
import {
  QWEN3_DIR,
  QWEN3_HYBRID,
  QWEN3_INSTRUCT,
  qwen3Hybrid,
  qwen3Instruct,
  qwen3Tokenizer,
} from "../../support/qwen3.ts";
import { NO_TAU_BENCH } from "../../support/tau_bench.ts";
import { sayingModel } from "../../support/token_models.ts";
import { arbitraryTexts, markTexts } from "../../support/token_texts.ts";
import {
  askTransformers,
  type ConversationAnswer,
  type ConversationCase,
} from "../../support/transformers.ts";

const ignore = withoutPython();

/** A chat template, as taulab's implementation and as the source for transformers. */
interface Form {
  readonly name: "instruct" | "hybrid" | "hybrid, not thinking";
  readonly template: ChatTemplate;
  readonly source: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

async function forms(): Promise<Form[]> {
  const variables = { enable_thinking: false };
  return [
    {
      name: "instruct",
      template: await qwen3Instruct(),
      source: QWEN3_INSTRUCT,
    },
    { name: "hybrid", template: await qwen3Hybrid(), source: QWEN3_HYBRID },
    {
      name: "hybrid, not thinking",
      template: await qwen3Hybrid(variables),
      source: QWEN3_HYBRID,
      variables,
    },
  ];
}

type Kind = "episode" | "τ-bench" | "by hand" | "arbitrary";

/** A conversation, the chat template for it, and the text and tokens that transformers renders. */
interface Compared {
  readonly kind: Kind;
  readonly form: Form;
  readonly conversation: ConversationCase;
  readonly answer: ConversationAnswer;
}

interface Reference {
  readonly texts: readonly (readonly [string, readonly number[]])[];
  readonly compared: readonly Compared[];
}

let asking: Promise<Reference> | null = null;

/** Renders all test cases of this file in a single Python process. */
function reference(): Promise<Reference> {
  return asking ??= ask();
}

async function ask(): Promise<Reference> {
  const texts = [...arbitraryTexts(), ...markTexts()];
  const all = await allForms();
  const answers = await askTransformers({
    directory: QWEN3_DIR,
    texts,
    conversations: all.map(({ conversation }) => conversation),
  });
  return {
    texts: texts.map((text, i) => [text, answers.texts[i]!]),
    compared: all.map((one, i) => ({
      ...one,
      answer: answers.conversations[i]!,
    })),
  };
}

async function allForms() {
  const episodes: [Kind, EpisodeMessages][] = [];
  const add = (kind: Kind, more: readonly EpisodeMessages[]) =>
    episodes.push(...more.map((one): [Kind, EpisodeMessages] => [kind, one]));
  add("episode", await generatedEpisodes(2));
  if (!NO_TAU_BENCH) add("τ-bench", await tauBenchEpisodes());
  add("by hand", HAND_MADE);
  const drawn = fc.sample(conversations(), { numRuns: 60, seed: 20 });
  add(
    "arbitrary",
    drawn.map((messages, i) => ({ name: `drawn ${i}`, messages, tools: [] })),
  );
  const all = await forms();
  return episodes.flatMap(([kind, { name, messages, tools }]) =>
    all.map((form) => {
      const { source, variables = {} } = form;
      const conversation: ConversationCase = {
        name: `${name}, ${form.name}`,
        template: source,
        messages,
        tools,
        variables,
        prompts: true,
      };
      return { kind, form, conversation };
    })
  );
}

async function tauBenchEpisodes(): Promise<EpisodeMessages[]> {
  return [
    ...await goldEpisodes("retail", {
      file: "gold_retail_dev.jsonl.gz",
      count: 2,
    }),
    ...await goldEpisodes("airline", {
      file: "gold_airline_test.jsonl.gz",
      count: 2,
    }),
    ...await fuzzedEpisodes("retail", {
      file: "fuzz_reward_retail.jsonl.gz",
      count: 2,
    }),
    ...await fuzzedEpisodes("airline", {
      file: "fuzz_reward_airline.jsonl.gz",
      count: 2,
    }),
    ...await modelEpisodes(2),
  ];
}

/** Returns the test cases of a kind. Fails if there are none. */
async function comparedOf(kind: Kind): Promise<readonly Compared[]> {
  const { compared } = await reference();
  const chosen = compared.filter((one) => one.kind === kind);
  assert.ok(chosen.length > 0);
  return chosen;
}

/**
 * Checks that two renderings of a conversation are equal. If they are not, fails with the name of the conversation and
 * the position of the first token that differs.
 */
function assertSame(
  name: string,
  ours: readonly number[],
  { theirs, tokenizer }: {
    theirs: readonly number[];
    tokenizer: Tokenizer;
  },
): void {
  const at = ours.findIndex((id, i) => id !== theirs[i]);
  if (at < 0 && ours.length === theirs.length) return;
  const from = Math.max(0, (at < 0 ? ours.length : at) - 8);
  const show = (ids: readonly number[]) =>
    JSON.stringify(tokenizer.decode(ids.slice(from, from + 24)));
  assert.fail(
    `${name}: ids differ at ${at} of ${ours.length} and ${theirs.length}: ${
      show(ours)
    } and ${show(theirs)}`,
  );
}

/**
 * Renders a conversation incrementally. Returns the token ids of the prompt before each answer and of the whole
 * conversation. A conversation that does not end with an answer is followed by a generation prompt.
 */
function incremental(
  { template }: Form,
  { messages, tools = [] }: ConversationCase,
  tokenizer: Tokenizer,
): { prompts: (readonly number[])[]; whole: readonly number[] } {
  const conversation = new TokenConversation({ template, tokenizer }, tools);
  const prompts: (readonly number[])[] = [];
  let context: Message[] = [];
  for (const message of messages) {
    if (message.role !== "assistant") {
      context.push(message);
      continue;
    }
    conversation.appendPrompt(conversation.prompt(context));
    prompts.push(conversation.ids.slice());
    const ids = tokenizer.encode(template.answer(message));
    const logprobs = ids.map(() => -1);
    conversation.appendAnswer(message, { ids, logprobs });
    context = [];
  }
  if (context.length > 0) {
    conversation.appendPrompt(conversation.prompt(context));
  }
  return { prompts, whole: conversation.ids.slice() };
}

function whole({ form, conversation }: Compared): string {
  const { messages, tools = [] } = conversation;
  const generationPrompt = messages.at(-1)?.role !== "assistant";
  return form.template.render(messages, { tools, generationPrompt });
}

const TRANSFORMERS = "(needs Python with transformers)";

Deno.test({
  name:
    `Tokenizer.encode() returns transformers' ids for any text ${TRANSFORMERS}`,
  ignore,
  async fn() {
    const tokenizer = await qwen3Tokenizer();
    const { texts } = await reference();
    assert.ok(texts.length > 6000);
    for (const [text, theirs] of texts) {
      const ours = tokenizer.encode(text);
      assertSame(JSON.stringify(text), ours, { theirs, tokenizer });
    }
  },
});

for (const kind of ["episode", "τ-bench", "by hand", "arbitrary"] as const) {
  const skip = ignore || (kind === "τ-bench" && NO_TAU_BENCH);
  Deno.test({
    name:
      `ChatTemplate.render() matches transformers' text and ids of whole conversations: ${kind} ${TRANSFORMERS}`,
    ignore: skip,
    async fn() {
      const tokenizer = await qwen3Tokenizer();
      for (const one of await comparedOf(kind)) {
        const { conversation: { name }, answer } = one;
        const text = whole(one);
        assert.equal(text, answer.text, name);
        const ours = tokenizer.encode(text);
        assertSame(name, ours, { theirs: answer.ids, tokenizer });
      }
    },
  });

  Deno.test({
    name:
      `TokenConversation matches transformers' rendering before each answer, and trains on it: ${kind} ${TRANSFORMERS}`,
    ignore: skip,
    async fn() {
      const tokenizer = await qwen3Tokenizer();
      for (const { form, conversation, answer } of await comparedOf(kind)) {
        if (form.name !== "instruct") continue;
        const { name } = conversation;
        const { prompts, whole } = incremental(form, conversation, tokenizer);
        assert.equal(prompts.length, answer.prompts.length);
        prompts.forEach((ours, i) =>
          assertSame(`${name}, answer ${i}`, ours, {
            theirs: answer.prompts[i]!,
            tokenizer,
          })
        );
        // The template adds a line break after a final answer, which a policy does not sample.
        const ends = conversation.messages.at(-1)?.role === "assistant";
        const theirs = ends ? answer.guarded.slice(0, -1) : answer.guarded;
        assertSame(name, whole, { theirs, tokenizer });
      }
    },
  });
}

Deno.test({
  name:
    `Tokenizer.encode() returns the ids of transformers' Python tokenizer, except for letters that only Python's tables know ${TRANSFORMERS}`,
  ignore,
  async fn() {
    const { compared } = await reference();
    const others = compared.filter(({ answer }) => !answer.slow);
    assert.deepEqual(
      others.map(({ conversation: { name } }) => name),
      (await forms()).map(({ name }) => `${YOUNG_LETTERS}, ${name}`),
    );
  },
});

Deno.test({
  name:
    `TokenConversation: messages of users and tools are text, while transformers encodes control tokens ${TRANSFORMERS}`,
  ignore,
  async fn() {
    const tokenizer = await qwen3Tokenizer();
    const attacks = (await comparedOf("by hand")).filter(({ conversation }) =>
      conversation.name.startsWith("control tokens by a user")
    );
    assert.equal(attacks.length, 3);
    for (const { form, conversation, answer } of attacks) {
      const { whole } = incremental(form, conversation, tokenizer);
      const { messages } = conversation;
      const count = (ids: readonly number[], token: string) => {
        const [id] = tokenizer.encode(token);
        return ids.filter((one) => one === id).length;
      };
      assert.equal(count(whole, "<|im_start|>"), messages.length);
      assert.equal(count(answer.ids, "<|im_start|>"), messages.length + 4);
      assert.equal(count(whole, "<|endoftext|>"), 0);
      assert.equal(count(answer.ids, "<|endoftext|>"), 4);
      const said = tokenizer.decode(whole);
      for (const { content } of messages) assert.ok(said.includes(content));
    }
  },
});

/**
 * Removes what hybrid Qwen3 drops from the history when it renders a conversation again: the thoughts of answers before
 * the last question, and empty thoughts of answers after it.
 * @param prompt The text before an answer.
 * @param shown The messages in `prompt`.
 */
function forget(prompt: string, shown: readonly Message[]): string {
  const question = shown.findLastIndex(({ role }) => role === "user");
  const answers = shown.flatMap(({ role }, i) => role === "assistant" ? i : []);
  const [opening = "", ...turns] = prompt.split(BEGIN);
  return [
    opening,
    ...turns.map((turn, i) => {
      const [thought, inner] = /^<think>\n([^]*?)\n<\/think>\n\n/.exec(turn) ??
        [""];
      const at = answers[i];
      const isKept = at === undefined || (at > question && inner !== "");
      return isKept ? turn : turn.slice(thought.length);
    }),
  ].join(BEGIN);
}

const BEGIN = "<|im_start|>assistant\n";

/**
 * Returns the conversations that a chat template supports. Only the template `hybrid` supports conversations with
 * thoughts.
 */
async function heldBy(name: Form["name"]): Promise<readonly Compared[]> {
  const { compared } = await reference();
  return compared.filter(({ form, conversation }) =>
    form.name === name &&
    (name === "hybrid" || !conversation.name.startsWith("thoughts"))
  );
}

for (const name of ["hybrid", "hybrid, not thinking"] as const) {
  Deno.test({
    name:
      `TokenConversation only differs from transformers' rendering in thoughts, which it keeps: ${name} ${TRANSFORMERS}`,
    ignore,
    async fn() {
      const tokenizer = await qwen3Tokenizer();
      let kept = 0;
      for (const { form, conversation, answer } of await heldBy(name)) {
        const { messages } = conversation;
        const { prompts } = incremental(form, conversation, tokenizer);
        const before = messages.flatMap(({ role }, i) =>
          role === "assistant" ? [messages.slice(0, i)] : []
        );
        prompts.forEach((ids, i) => {
          const text = tokenizer.decode(ids);
          const forgotten = forget(text, before[i]!);
          const theirs = answer.prompts[i]!;
          assert.equal(forgotten, tokenizer.decode(theirs), conversation.name);
          if (forgotten === text) {
            const place = `${conversation.name}, answer ${i}`;
            assertSame(place, ids, { theirs, tokenizer });
          } else kept++;
        });
      }
      assert.ok(kept > 100);
    },
  });
}

Deno.test("tokenChatModel(): hybrid Qwen3's prompts and samples are the training sequence, including thoughts", async () => {
  const tokenizer = await qwen3Tokenizer();
  const template = await qwen3Hybrid();
  const texts = [
    "<think>\nWho?\n</think>\n\nWho are you?",
    "<think>\n\n</think>\n\nI see.",
    "no thought at all",
    "<think>\nBye.\n</think>\n\nBye.",
  ];
  const shown: (readonly number[])[] = [];
  const model = sayingModel(tokenizer, texts, {
    onRequest: ({ ids }) => shown.push(ids),
  });
  const chat = tokenChatModel(model, {
    template,
    tokenizer,
    temperature: 1,
    maxTokensPerTurn: 64,
  }).chat({ tools: [], seed: 1 });
  for (const _ of texts) await chat.send([{ role: "user", content: "Hi" }]);
  const { ids, lossMask } = chat.trajectory!;
  shown.forEach((prompt, i) => {
    const sampled = tokenizer.encode(`${texts[i]}<|im_end|>`);
    const end = prompt.length + sampled.length;
    assert.deepEqual(ids.slice(0, end), [...prompt, ...sampled]);
    const mask = lossMask.slice(prompt.length, end);
    assert.ok(mask.every((one) => one === 1));
  });
  const trained = ids.filter((_, i) => lossMask[i] === 1);
  const said = texts.map((text) => `${text}<|im_end|>`).join("");
  assert.equal(tokenizer.decode(trained), said);
});

Deno.test("TokenConversation keeps the ids of an answer that begins with a line break, which encoding its text again would merge", async () => {
  const tokenizer = await qwen3Tokenizer();
  const template = await qwen3Instruct();
  const conversation: ConversationCase = {
    name: "a new line",
    template: QWEN3_INSTRUCT,
    messages: [
      { role: "user", content: "Hi" },
      { role: "assistant", content: "\n\nHello" },
    ],
  };
  const form: Form = { name: "instruct", template, source: QWEN3_INSTRUCT };
  const { whole } = incremental(form, conversation, tokenizer);
  const text = template.render(conversation.messages);
  assert.equal(`${tokenizer.decode(whole)}\n`, text);
  assert.notDeepEqual(whole, tokenizer.encode(text).slice(0, -1));
});
