/** Loads the compiled kernels: selects a build for this machine, and binds its exports. */

import { PolicyError } from "../../env/errors.ts";

/** The exports of the kernels. Pointers and structs are passed as addresses in shared memory. */
export interface Kernels {
  readonly train: (job: number) => void;
  readonly sample: (job: number) => void;
  readonly reduce: (job: number) => void;
  readonly adamw: (job: number) => void;
  readonly pack: (model: number, part: number, parts: number) => void;
  /** C = A·B; see `kernels/gemm.ts`. Exported for benchmarks. */
  readonly gemm: (
    a: number,
    lda: number,
    b: number,
    c: number,
    ldc: number,
    m: number,
    k: number,
    n: number,
    add: boolean,
  ) => void;
  readonly trainingBytes: (
    model: number,
    rows: number,
    segments: number,
    context: number,
  ) => number;
  readonly samplingBytes: (
    model: number,
    requests: number,
    rows: number,
    context: number,
  ) => number;
}

/** A build of the kernels: with (`relaxed`) or without (`plain`) fused multiply-add. */
export type KernelBuild = "relaxed" | "plain";

/**
 * Loads the kernels. Default build: the fastest that the machine supports.
 * @throws {PolicyError} If the kernels cannot be read, or the runtime does not support the given build or, by default,
 * any build.
 */
export async function loadKernels(
  build?: KernelBuild,
): Promise<WebAssembly.Module> {
  const builds: KernelBuild[] = build ? [build] : ["relaxed", "plain"];
  for (const name of builds) {
    const bytes = await readBuild(name);
    if (WebAssembly.validate(bytes)) return new WebAssembly.Module(bytes);
  }
  throw new PolicyError(
    "Cannot run the embedded policy: this runtime has no WebAssembly SIMD",
    { hint: "use Deno 2 on x86-64 or arm64" },
  );
}

/** Instantiates the kernels on a shared memory and returns their exports. */
export function bindKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Kernels {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return exports as unknown as Kernels;
}

async function readBuild(
  build: KernelBuild,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`./wasm/${build}.wasm`, import.meta.url);
  try {
    if (url.protocol === "file:") return await Deno.readFile(url);
    return new Uint8Array(await (await fetch(url)).arrayBuffer());
  } catch (cause) {
    throw new PolicyError(
      `Cannot read the policy's kernels at "${url}"`,
      { cause, hint: 'run "deno task build:wasm"' },
    );
  }
}
