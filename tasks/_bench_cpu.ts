/**
 * Benchmarks how fast the CPU policy trains and samples. The same run also times an independent library's matrix
 * product, as a reference for the machine's current speed.
 */

import {
  type Array as JaxArray,
  blockUntilReady,
  defaultDevice,
  init,
  numpy,
} from "@jax-js/jax";
import { createRng } from "../env/random.ts";
import { bindKernels, loadKernels } from "../train/cpu/kernel_module.ts";
import {
  type CpuPolicy,
  createCpuPolicy,
  DEFAULT_MODEL,
  parameterCount,
} from "../train/cpu/policy.ts";
import type { TrainSequence } from "../train/trainer.ts";
import { type Measured, measured, timed } from "./_bench_measure.ts";

/** The results of {@linkcode benchCpu}; rates are totals over all threads. */
export interface CpuBench {
  readonly parameters: number;
  readonly threads: number;
  /**
   * Training speed (forward, backward and update) in tokens per second, for sequences of 300 tokens with a loss on
   * every third token.
   */
  readonly trainTokensPerS: Measured;
  /** Sampling speed in tokens per second, for 96 concurrent conversations with contexts of 300 to 364 tokens. */
  readonly sampleTokensPerS: Measured;
  /** Prompt tokens processed per second. */
  readonly promptTokensPerS: Measured;
  /** GFLOP/s of taulab's kernel for a 512 × 256 by 256 × 1024 matrix product on one thread. */
  readonly matmulGflops: Measured;
  /** GFLOP/s of jax-js for the same matrix product, on its own threads. */
  readonly jaxMatmulGflops: Measured;
  /** `matmulGflops` divided by `jaxMatmulGflops` of the same round. */
  readonly matmulRatio: Measured;
}

const PROMPT = 300;
const ANSWER = 64;
const CONVERSATIONS = 96;
const BATCH = 32;
const PRODUCTS = 20;
const REPEATS = 5;
const [M, K, N] = [512, 256, 1024] as const;

/** Runs the benchmark: five rounds after a warm-up, each of which measures every figure. */
export async function benchCpu(threads: number): Promise<CpuBench> {
  await using policy = await createCpuPolicy({
    config: DEFAULT_MODEL,
    seed: 1,
    threads,
  });
  const kernel = await kernelProduct();
  const library = await libraryProduct();
  const batch = randomBatch();
  const seconds = async (work: () => unknown) => (await timed(work)).seconds;
  async function round(i: number) {
    const train = await seconds(() => learn(policy, batch));
    const prompt = await seconds(() => sample(policy, i, { maxTokens: 1 }));
    const answer = await seconds(() =>
      sample(policy, i, { maxTokens: ANSWER })
    );
    for (let c = 0; c < CONVERSATIONS; c++) policy.release(`${i}/${c}`);
    const flops = 2 * M * K * N * PRODUCTS / 1e9;
    return {
      train: BATCH * PROMPT / train,
      prompt: CONVERSATIONS * PROMPT / prompt,
      answer: CONVERSATIONS * ANSWER / answer,
      kernel: flops / await seconds(() => repeat(PRODUCTS, kernel)),
      library: flops / await seconds(() => repeat(PRODUCTS, library)),
    };
  }
  await round(-1);
  const rounds: Awaited<ReturnType<typeof round>>[] = [];
  for (let i = 0; i < REPEATS; i++) rounds.push(await round(i));
  const of = (figure: (round: typeof rounds[number]) => number) =>
    measured(rounds.map(figure));
  return {
    parameters: parameterCount(DEFAULT_MODEL),
    threads,
    trainTokensPerS: of(({ train }) => train),
    sampleTokensPerS: of(({ answer }) => answer),
    promptTokensPerS: of(({ prompt }) => prompt),
    matmulGflops: of(({ kernel }) => kernel),
    jaxMatmulGflops: of(({ library }) => library),
    matmulRatio: of(({ kernel, library }) => kernel / library),
  };
}

function randomBatch(): TrainSequence[] {
  const rng = createRng("bench");
  return Array.from({ length: BATCH }, () => ({
    ids: Array.from({ length: PROMPT }, () => rng.int(DEFAULT_MODEL.vocab)),
    lossMask: Array.from({ length: PROMPT }, (_, t) => t % 3 === 0 ? 1 : 0),
    logprobs: new Float32Array(PROMPT),
    advantage: 1,
  }));
}

function learn(policy: CpuPolicy, batch: readonly TrainSequence[]) {
  return policy.trainer().supervised(batch, {
    learningRate: 1e-4,
    maxGradNorm: 1,
  });
}

/**
 * Samples an answer in every conversation. The first call of a round processes the prompts. In the second call, each
 * prompt is one token longer. Everything else is in the cache, so only that token is processed.
 */
async function sample(
  policy: CpuPolicy,
  round: number,
  { maxTokens }: { maxTokens: number },
): Promise<void> {
  const length = maxTokens === 1 ? PROMPT : PROMPT + 1;
  await Promise.all(Array.from({ length: CONVERSATIONS }, (_, c) => {
    const rng = createRng("prompt", c);
    return policy.generate({
      ids: Array.from({ length }, () => rng.int(DEFAULT_MODEL.vocab)),
      session: `${round}/${c}`,
      maxTokens,
      temperature: 1,
      stopIds: [],
      seed: c,
    });
  }));
}

async function repeat(
  times: number,
  work: () => void | Promise<void>,
): Promise<void> {
  for (let i = 0; i < times; i++) await work();
}

/** Returns a function that computes the matrix product with taulab's kernel on this thread. */
async function kernelProduct(): Promise<() => void> {
  const memory = new WebAssembly.Memory({
    initial: 128,
    maximum: 65536,
    shared: true,
  });
  const { gemm } = bindKernels(await loadKernels(), memory);
  const a = 65536;
  const lda = K * 4 + 64;
  const b = a + M * lda;
  const c = b + K * N * 4;
  new Float32Array(memory.buffer, a, (c - a) / 4).fill(0.5);
  return () => gemm(a, lda, b, c, N * 4 + 64, M, K, N, false);
}

/** Returns a function that computes the matrix product with jax-js. */
async function libraryProduct(): Promise<() => Promise<void>> {
  await init("wasm");
  defaultDevice("wasm");
  const random = (rows: number, columns: number): JaxArray =>
    numpy.array(new Float32Array(rows * columns).fill(0.5))
      .reshape([rows, columns]);
  const a = random(M, K);
  const b = random(K, N);
  return async () => {
    const c = await blockUntilReady(numpy.matmul(a.ref, b.ref));
    c.dispose();
  };
}
