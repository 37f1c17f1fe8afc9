/** How the host and its workers speak: a block of shared memory a worker, waited on with `Atomics`. */

/** Fields of a worker's block, by 4 bytes. */
export const FIELD = {
  /** Counts up for each command; the worker sleeps on it. */
  go: 0,
  /** Follows `go` when the command is done; the host waits on it. */
  done: 1,
  command: 2,
  argument: 3,
  /** 0 where the command succeeded, else the length of the error's text. */
  failed: 6,
} as const;

/** Bytes of a block, and where in it an error's text begins. */
export const BLOCK_BYTES = 1024;
export const TEXT_OFFSET = 64;

/** What workers can be told, by index. `exit` ends one. */
export const COMMANDS = [
  "exit",
  "train",
  "sample",
  "reduce",
  "adamw",
  "pack",
] as const;

/** A command that runs a kernel. */
export type Command = Exclude<typeof COMMANDS[number], "exit">;

/** What a worker is started with. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the worker's block. */
  readonly block: number;
}
