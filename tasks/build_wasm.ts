/**
 * `deno task build:wasm`: compiles train/cpu/kernels/ to the two committed WebAssembly modules, one with relaxed SIMD
 * and one without. The build is reproducible, and a test checks that the committed modules match their source.
 */

import asc from "assemblyscript/asc";
import { z } from "zod";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";

/** The names of the builds. `relaxed` uses fused multiply-add; `plain` runs everywhere. */
export const WASM_BUILDS = ["relaxed", "plain"] as const;

const KERNELS = new URL("../train/cpu/kernels/", import.meta.url);

/** Returns the URL of the committed module of a build. */
export function wasmUrl(build: typeof WASM_BUILDS[number]): URL {
  return new URL(`../train/cpu/wasm/${build}.wasm`, import.meta.url);
}

/**
 * Compiles the kernels without writing files.
 * @throws {Error} If the compiler reports an error or a warning. The message contains the compiler's output.
 */
export async function buildWasm(
  build: typeof WASM_BUILDS[number],
): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const words: string[] = [];
  const print = {
    write: (chunk: string | Uint8Array) => {
      words.push(
        typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk),
      );
    },
  };
  const { error } = await asc.main([
    "index.ts",
    "--outFile",
    "out.wasm",
    "--runtime",
    "stub",
    "-O3",
    "--noAssert",
    "--importMemory",
    "--noExportMemory",
    "--sharedMemory",
    "--initialMemory",
    "1",
    "--maximumMemory",
    "65536",
    ...["simd", "threads", "bulk-memory"].flatMap((f) => ["--enable", f]),
    ...(build === "relaxed" ? ["--enable", "relaxed-simd"] : []),
  ], {
    stdout: print,
    stderr: print,
    readFile: readKernel,
    listFiles: () => [],
    writeFile: (_name, contents) => {
      if (contents instanceof Uint8Array) binary = contents;
    },
  });
  if (error || !binary || words.length > 0) {
    const why = words.join("") || (error?.message ?? "there was no output");
    throw new Error(`Cannot compile the kernels: ${why}`, {
      cause: error,
    });
  }
  return binary;
}

function readKernel(name: string): string | null {
  try {
    return Deno.readTextFileSync(new URL(name, KERNELS));
  } catch (error) {
    // The compiler tries names that may not exist and falls back to others.
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

const flags = z.object({
  dryRun: z.boolean().default(false).meta({
    description: "Compile and print the sizes; nothing is written",
  }),
});

async function run(
  { dryRun }: z.infer<typeof flags>,
  { terminal }: TaskContext,
): Promise<TaskResult> {
  const sizes: Record<string, number> = {};
  for (const build of WASM_BUILDS) {
    const bytes = await buildWasm(build);
    if (!dryRun) await Deno.writeFile(wasmUrl(build), bytes);
    sizes[`${build}.wasm`] = bytes.length;
    terminal.print(`${build}.wasm  ${bytes.length} bytes`);
  }
  return { json: sizes };
}

export const task = await main(import.meta, {
  name: "build:wasm",
  summary: "Compile the policy's kernels to the two WebAssembly modules",
  flags,
  examples: [
    {
      command: "deno task build:wasm",
      does: "rebuild the modules after a change to train/cpu/kernels/",
    },
  ],
  run,
});
