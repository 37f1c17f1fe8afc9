/**
 * The protocol between the host and its workers: one block of shared memory per worker, on which both sides wait with
 * `Atomics`.
 */

/** The fields of a worker's block, as indices of 4-byte words. */
export const FIELD = {
  /** Incremented for each command; the worker waits on it. */
  go: 0,
  /** Set to `go` when the command is done; the host waits on it. */
  done: 1,
  command: 2,
  argument: 3,
  /** The length of the error text in bytes; 0 if the command succeeded. */
  failed: 6,
} as const;

/** The size of a block in bytes. */
export const BLOCK_BYTES = 1024;
/** The offset of the error text in a block, in bytes. */
export const TEXT_OFFSET = 64;

/** The commands that a worker accepts, in the order of their numbers. `exit` ends the worker. */
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

/** The message that starts a worker. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The address of the worker's block. */
  readonly block: number;
}
