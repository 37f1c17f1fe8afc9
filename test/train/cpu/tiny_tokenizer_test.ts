import assert from "node:assert/strict";
import fc from "fast-check";
import { expertAgent } from "../../../env/agents/expert.ts";
import { textConversation } from "../../../env/agents/text_conversation.ts";
import { generated } from "../../../env/generated/generated.ts";
import { rolloutAll } from "../../../env/rollout.ts";
import {
  createChatTemplate,
  loadChatTemplate,
} from "../../../env/tokens/chat_template.ts";
import type { Codec } from "../../../env/tokens/conversation.ts";
import { demonstrationTrajectory } from "../../../env/tokens/demonstration.ts";
import {
  checkPrefix,
  probeTemplate,
} from "../../../env/tokens/rewritten_prefix.ts";
import {
  createTokenizer,
  loadTokenizer,
  type TokenizerFiles,
} from "../../../env/tokens/tokenizer.ts";
import type { Message } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import {
  MIN_VOCAB_SIZE,
  trainTokenizer,
} from "../../../train/cpu/tiny_tokenizer.ts";
import { BYTE_TEXTS } from "../../../train/cpu/tokenizer_files.ts";
import { conversations as arbitrary } from "../../support/conversations.ts";
import { TOOLS } from "../../support/tiny_codec.ts";

const dataset = await generated(2, {
  trainTasks: 80,
  devTasks: 1,
  testTasks: 1,
});
const episodes = await rolloutAll(
  dataset.tasks("train").map((task, seed) => ({
    dataset,
    task,
    agent: expertAgent({ prompt: "none" }),
    user: scriptedUser(dataset),
    userName: "scripted",
    seed,
  })),
  { concurrency: 1, now: () => 0 },
);
const CONVERSATIONS: readonly (readonly Message[])[] = episodes.map((
  { messages },
) => messages);

function codecOf(files: TokenizerFiles): Codec {
  const tokenizer = createTokenizer(files);
  const template = createChatTemplate({ tokenizer, config: files.config });
  return { tokenizer, template };
}

const files = trainTokenizer(CONVERSATIONS, { vocabSize: 1024 });
const codec = codecOf(files);
const { tokenizer, template } = codec;

/** Encodes a text and returns the text of each token. */
function pieces(text: string): string[] {
  return tokenizer.encode(text).map((id) => tokenizer.decode([id]));
}

const anyText = fc.array(
  fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    fc.nat().map(String),
    fc.constantFrom("🙂", "é", "\u0000", "#W1234567", '", "price": 12.5'),
    fc.constantFrom(...CONVERSATIONS.flat().map(({ content }) => content)),
  ),
  { maxLength: 6 },
).map((parts) => parts.join("").toWellFormed());

Deno.test("trainTokenizer() round-trips any text", () => {
  fc.assert(fc.property(anyText, (text) => {
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  }));
});

Deno.test("trainTokenizer() returns the requested size, and the same files for the same conversations", () => {
  for (const vocabSize of [MIN_VOCAB_SIZE, 512, 640]) {
    const files = trainTokenizer(CONVERSATIONS, { vocabSize });
    assert.equal(createTokenizer(files).vocabSize, vocabSize);
    const again = trainTokenizer(CONVERSATIONS, { vocabSize });
    assert.equal(JSON.stringify(again), JSON.stringify(files));
  }
});

Deno.test("trainTokenizer() splits digits into pairs from the left of a number, everywhere", () => {
  for (const before of ["", " ", '"#W', "a", "-", ", "]) {
    for (const after of ["", " ", '", "', "b", "."]) {
      const digits = pieces(`${before}1234567${after}`).filter((piece) =>
        /[0-9]/.test(piece)
      );
      assert.deepEqual(digits, ["12", "34", "56", "7"]);
    }
  }
  assert.deepEqual(
    pieces("0123456789").length,
    5,
  );
});

Deno.test("trainTokenizer() encodes each user name with the same tokens everywhere", () => {
  const users = [...dataset.database.ids("users")];
  const names = new Set(
    users.flatMap((id) => id.split("_").slice(0, 2)),
  );
  assert.ok(names.size > 40);
  for (const name of names) {
    const alone = pieces(name).join("|");
    for (
      const [before, after] of [
        ["i am ", " and"],
        ['{"user_id": "', "_"],
        ["_", "_12"],
        ['"email": "', "."],
        [", ", ", "],
        ["12", "34"],
      ] as const
    ) {
      const all = pieces(before + name + after).join("|");
      assert.ok(`|${all}|`.includes(`|${alone}|`), `${alone} in ${all}`);
    }
  }
});

Deno.test("trainTokenizer() isolates the given words, case-insensitively", () => {
  const variableWords = ["Order", "please"];
  const told = codecOf(
    trainTokenizer(CONVERSATIONS, { vocabSize: 1024, variableWords }),
  ).tokenizer;
  const mixed = ({ tokenizer }: Pick<Codec, "tokenizer">) =>
    Array.from(
      { length: tokenizer.vocabSize },
      (_, id) => tokenizer.decode([id]),
    )
      .filter((text) => /(?<!\p{L})order(?!\p{L})./u.test(text));
  assert.deepEqual(mixed({ tokenizer: told }), []);
  assert.ok(mixed(codec).length > 0);
});

Deno.test("trainTokenizer() finds the words that vary in actions as text if it is given the calls", () => {
  const told = CONVERSATIONS.map((messages) =>
    textConversation(messages, { dataset, strategy: "react", prompt: "none" })
  );
  const options = { vocabSize: 1024, asCalls: CONVERSATIONS };
  // The items and cities that users mention.
  const words = new Set(
    CONVERSATIONS.flat().flatMap(({ role, content }) =>
      role === "tool" ? content.match(/(?<="(?:city|name)": ")\w+/g) ?? [] : []
    ),
  );
  const glued = (files: TokenizerFiles) => {
    const { tokenizer } = codecOf(files);
    const vocabulary = Array.from(
      { length: tokenizer.vocabSize },
      (_, id) => tokenizer.decode([id]),
    );
    return [...words].filter((word) =>
      vocabulary.some((text) =>
        text !== word && new RegExp(`\\b${word}\\b`).test(text)
      )
    );
  };
  const unseen = glued(trainTokenizer(told, { vocabSize: 1024 }));
  assert.deepEqual(glued(trainTokenizer(told, options)), glued(files));
  assert.ok(unseen.length > glued(files).length + 10);
  assert.deepEqual(trainTokenizer(CONVERSATIONS, options), files);
});

Deno.test("trainTokenizer() makes constant text one token", () => {
  for (
    const text of [
      '<tool_call>\n{"name": "get_order_details", "arguments": {"order_id": "#W',
      ', "options": {"color": "',
      '"}}\n</tool_call>',
    ]
  ) {
    assert.deepEqual(pieces(`12${text}34`), ["12", text, "34"]);
  }
  assert.equal(tokenizer.encode("<|user|><|assistant|><|end|>").length, 3);
});

Deno.test("trainTokenizer() needs fewer tokens with a larger vocabulary", () => {
  const lengths = [400, 512, 1024].map((vocabSize) => {
    const codec = codecOf(trainTokenizer(CONVERSATIONS, { vocabSize }));
    return CONVERSATIONS.reduce(
      (sum, messages) =>
        sum + demonstrationTrajectory({ ...codec, messages }).ids.length,
      0,
    ) / CONVERSATIONS.length;
  });
  const [small = 0, middle = 0, large = 0] = lengths;
  assert.ok(small > middle && middle > large, lengths.join());
  assert.ok(large < small / 2, lengths.join());
});

/**
 * Encodes a text according to the definition of byte-pair encoding. A piece that is a token stays whole. In any other
 * piece, the earliest applicable merge is applied until no merge applies.
 */
function referenceEncode(text: string): number[] {
  const { model, pre_tokenizer } = JSON.parse(JSON.stringify(files.tokenizer));
  const isolated = pre_tokenizer.pretokenizers[0].pattern.Regex;
  const ranks = new Map<string, number>(
    model.merges.map((pair: string[], i: number) => [pair.join("\n"), i]),
  );
  const vocab = new Map<string, number>(Object.entries(model.vocab));
  const pieces = text.split(new RegExp(`(${isolated})`, "u"));
  return pieces.filter((piece) => piece !== "").flatMap((piece) => {
    const symbols = Array.from(
      new TextEncoder().encode(piece),
      (byte) => BYTE_TEXTS[byte] ?? "",
    );
    const whole = vocab.get(symbols.join(""));
    if (whole !== undefined) return [whole];
    for (;;) {
      let at = -1;
      let best = Infinity;
      for (let i = 0; i + 1 < symbols.length; i++) {
        const rank = ranks.get(`${symbols[i]}\n${symbols[i + 1]}`) ?? Infinity;
        if (rank < best) [best, at] = [rank, i];
      }
      if (at < 0) return symbols.map((symbol) => vocab.get(symbol) ?? -1);
      symbols.splice(at, 2, `${symbols[at]}${symbols[at + 1]}`);
    }
  });
}

Deno.test("trainTokenizer() writes merges that Hugging Face's encoder applies as defined", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.deepEqual(tokenizer.encode(text), referenceEncode(text));
    }),
    { numRuns: 40 },
  );
});

Deno.test("the tiny policy's template keeps its history, and renders calls as Qwen does", () => {
  assert.deepEqual(probeTemplate(template, TOOLS), { kind: "prefix" });
  fc.assert(fc.property(arbitrary(), (messages) => {
    assert.deepEqual(checkPrefix(template, messages), { kind: "prefix" });
  }));
  assert.equal(
    template.render([
      { role: "user", content: "Pay" },
      {
        role: "assistant",
        content: "Sure.",
        toolCalls: [{
          id: "call00001",
          name: "pay",
          arguments: new Map([["to", "é"]]),
        }],
      },
      { role: "tool", content: "ok", name: "pay", toolCallId: "call00001" },
    ], { generationPrompt: true }),
    '<|user|>Pay<|assistant|>Sure.\n<tool_call>\n{"name": "pay", "arguments": {"to": "é"}}\n</tool_call><|end|><|tool|>ok<|assistant|>',
  );
});

Deno.test("the tiny policy's control tokens never result from encoding text", () => {
  const control = new Set(tokenizer.addedTokens.map(({ id }) => id));
  const ids = tokenizer.encode(
    template.open([{ role: "user", content: "<|end|><|assistant|>" }], []),
  );
  assert.equal(ids.filter((id) => control.has(id)).length, 2);
  assert.equal(
    tokenizer.decode(ids),
    "<|user|><|end|><|assistant|><|assistant|>",
  );
});

Deno.test("trainTokenizer() writes files that load like any model's", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const write = (name: string, value: unknown) =>
      Deno.writeTextFile(`${dir}/${name}`, JSON.stringify(value));
    await write("tokenizer.json", files.tokenizer);
    await write("tokenizer_config.json", files.config);
    const loaded = await loadTokenizer(dir);
    const loadedTemplate = await loadChatTemplate(dir, { tokenizer: loaded });
    for (const messages of CONVERSATIONS.slice(0, 5)) {
      assert.deepEqual(
        demonstrationTrajectory({
          tokenizer: loaded,
          template: loadedTemplate,
          messages,
        }),
        demonstrationTrajectory({ ...codec, messages }),
      );
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("trainTokenizer() rejects a vocabulary that cannot encode every text", () => {
  for (const vocabSize of [MIN_VOCAB_SIZE - 1, 0, 512.5, NaN]) {
    assert.throws(
      () => trainTokenizer(CONVERSATIONS, { vocabSize }),
      (error) =>
        error instanceof RangeError &&
        error.message.includes(`at least ${MIN_VOCAB_SIZE} are needed`),
    );
  }
});

Deno.test("trainTokenizer() works with few conversations, or none", () => {
  const { tokenizer } = codecOf(trainTokenizer([], { vocabSize: 512 }));
  assert.equal(tokenizer.vocabSize, MIN_VOCAB_SIZE);
  assert.equal(tokenizer.decode(tokenizer.encode("Hé 123")), "Hé 123");
});
