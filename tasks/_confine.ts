/**
 * A task's work on a thread of its own, with permissions of its own: what this command line needs, out of what the
 * process was given by `deno.json`. The main thread only reads the command line, listens for Ctrl-C and waits, so a
 * Ctrl-C is heard however busy the work is, and no second process can be left behind.
 *
 * A task confines its work by {@linkcode TaskDefinition.confine}; nothing else calls this module.
 * Needs `"unstable": ["worker-options"]` in `deno.json`.
 */

/** What a task's work may do. Reading, and what is left out here, is as the process may. */
export interface Confinement {
  /** Files and directories that may be written, with all that is below them. `[]` is nothing. */
  readonly write: readonly string[];
  /** Whether the network may be used. Default true. */
  readonly net?: boolean;
  /** Whether programs may be started. Default true. */
  readonly run?: boolean;
  /** Whether the environment may be read, or which variables. Default true. */
  readonly env?: boolean | readonly string[];
  /** Whether there is nothing to save, so that the first Ctrl-C ends the process. Default false. */
  readonly endsAtOnce?: boolean;
}

/** What only shows something may do, while it takes its time. */
export const READS_ONLY: Confinement = { write: [], endsAtOnce: true };

/** What work needs that is done on this machine alone: neither network nor programs, and no variable that holds a key. */
export const ON_ITS_OWN = {
  net: false,
  run: false,
  env: [
    ...["INIT_CWD", "TAULAB_RUNS", "TAU_BENCH_DIR", "TAU3_BENCH_DIR"],
    // Libraries read these; deno.json has them ignored, a process that may read all does not.
    ...["LOG", "LOG_TOKENS", "LOG_STREAM"],
  ],
} as const;

/** What it takes to write a file whole: it is written beside its place first. */
export function writesFiles(
  ...paths: readonly (string | undefined)[]
): Pick<Confinement, "write"> {
  const named = paths.filter((path) => path !== undefined);
  return { write: named.flatMap((path) => [path, `${path}.partial`]) };
}

/** From the work to the main thread: it ended with this exit status. */
interface Ended {
  readonly exitCode: number;
}

const INTERRUPT = "interrupt";

/** Whether this is the thread of a confined task's work. */
export function isConfined(): boolean {
  return "DedicatedWorkerGlobalScope" in globalThis;
}

/**
 * Runs a task's module on a thread of its own, with `Deno.args` as here.
 * @returns The exit status that the work ended with, by {@linkcode endConfined}.
 */
export async function runConfined(
  module: string,
  { name, confinement, onInterrupt }: {
    readonly name: string;
    readonly confinement: Confinement;
    /** Aborted by the first Ctrl-C; passed on to the work. */
    readonly onInterrupt: AbortSignal;
  },
): Promise<number> {
  // Should the thread end without a word, the process fails.
  Deno.exitCode = 1;
  const worker = new Worker(module, {
    type: "module",
    name,
    deno: { permissions: permissionsOf(confinement) },
  });
  onInterrupt.addEventListener("abort", () => worker.postMessage(INTERRUPT));
  return await new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<Ended>) =>
      resolve(data.exitCode);
    // Deno has printed the error and its stack.
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(1);
    };
  });
}

/** On the work's thread: calls back once the main thread was interrupted. */
export function onConfinedInterrupt(callback: () => void): void {
  self.addEventListener("message", (event) => {
    if ((event as MessageEvent).data === INTERRUPT) callback();
  });
}

/** On the work's thread: ends the process with this exit status. */
export function endConfined(exitCode: number): void {
  const ended: Ended = { exitCode };
  (self as unknown as { postMessage(message: Ended): void })
    .postMessage(ended);
}

/** A thread may not have more than its process: what was not given is left out. */
function permissionsOf(
  { write, net = true, run = true, env = true }: Confinement,
): Deno.PermissionOptionsObject {
  const mayWrite = (path: string) => isGranted({ name: "write", path });
  const mayRead = (variable: string) => isGranted({ name: "env", variable });
  return {
    read: "inherit",
    import: "inherit",
    sys: "inherit",
    ffi: false,
    write: write.every(mayWrite) ? [...write] : "inherit",
    net: net && "inherit",
    run: run && "inherit",
    env: typeof env === "boolean" ? env && "inherit" : env.filter(mayRead),
  };
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}
