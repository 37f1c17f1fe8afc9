/** Creates fake token models, which have no weights. */

import { createRng } from "../../env/random.ts";
import type { Tokenizer } from "../../env/tokens/tokenizer.ts";
import type { Trajectory } from "../../env/tokens/trajectory.ts";
import type {
  GenerateRequest,
  GenerateResult,
  TokenModel,
} from "../../env/types.ts";

/** Options for all fake token models. */
export interface FakeOptions {
  /** Maximum number of tokens per conversation. Default: 100,000. */
  readonly contextLength?: number;
}

/**
 * Creates a model that returns the given texts in order, each followed by an end token and truncated at the token
 * limit. Every position has a different log probability.
 * @throws {RangeError} On a request after the last text.
 */
export function sayingModel(
  tokenizer: Tokenizer,
  texts: readonly string[],
  options: FakeOptions & {
    /** Called with each request to the model. */
    readonly onRequest?: (request: GenerateRequest) => void;
  } = {},
): TokenModel {
  let turn = 0;
  return {
    name: "saying",
    contextLength: options.contextLength ?? 100_000,
    generate(request) {
      options.onRequest?.({ ...request, ids: request.ids.slice() });
      const text = texts[turn++];
      if (text === undefined) throw new RangeError(`Nothing to say any more`);
      const all = tokenizer.encode(text + tokenizer.endToken);
      return Promise.resolve(cut(all, request));
    },
  };
}

/**
 * Creates a model that replays the sampled ids of a trajectory, and checks that each prompt equals the recorded prompt.
 */
export function replayingModel(
  trajectory: Trajectory,
  options: FakeOptions = {},
): TokenModel {
  return {
    name: "replaying",
    contextLength: options.contextLength ?? 100_000,
    generate(request) {
      const from = request.ids.length;
      const shown = trajectory.ids.slice(0, from);
      if (shown.join() !== request.ids.join()) {
        throw new RangeError(`Other ids were shown than were recorded`);
      }
      let to = from;
      while (trajectory.lossMask[to] === 1) to++;
      return Promise.resolve({
        ids: trajectory.ids.slice(from, to),
        logprobs: trajectory.logprobs.slice(from, to),
        finishReason: "stop",
      });
    },
  };
}

/**
 * Creates a model that samples random tokens. As in a real model, each token depends only on the seed and the preceding
 * ids.
 */
export function babblingModel(
  tokenizer: Tokenizer,
  options: FakeOptions & {
    /** The probability that the next token ends the answer. Default: 0.2. */
    readonly endShare?: number;
    /** Called and awaited before each answer. By default, the model does not wait. */
    readonly wait?: () => Promise<void>;
  } = {},
): TokenModel {
  const { endShare = 0.2, wait } = options;
  return {
    name: "babbling",
    contextLength: options.contextLength ?? 100_000,
    async generate(request) {
      await wait?.();
      request.signal?.throwIfAborted();
      const seed = request.temperature === 0 ? 0 : request.seed;
      const rng = createRng("babble", seed, request.ids.join());
      const ids: number[] = [];
      while (ids.length < request.maxTokens) {
        const ends = rng.next() < endShare;
        ids.push(
          ends ? request.stopIds[0] ?? 0 : rng.int(tokenizer.vocabSize),
        );
        if (request.stopIds.includes(ids.at(-1) ?? -1)) break;
      }
      return cut(ids, request);
    },
  };
}

function cut(
  all: readonly number[],
  { maxTokens, stopIds }: GenerateRequest,
): GenerateResult {
  const ids = all.slice(0, maxTokens);
  const stopped = stopIds.includes(ids.at(-1) ?? -1);
  return {
    ids,
    logprobs: ids.map((_, i) => -(i + 1) / 16),
    finishReason: stopped ? "stop" : "length",
  };
}
