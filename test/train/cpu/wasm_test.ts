import assert from "node:assert/strict";
import { buildWasm, WASM_BUILDS, wasmUrl } from "../../../tasks/build_wasm.ts";

for (const build of WASM_BUILDS) {
  Deno.test(`buildWasm("${build}") gives the committed bytes`, async () => {
    const built = await buildWasm(build);
    const committed = await Deno.readFile(wasmUrl(build));
    assert.ok(
      built.length === committed.length &&
        built.every((byte, i) => byte === committed[i]),
      "train/cpu/wasm/ is not what train/cpu/kernels/ compiles to; run `deno task build:wasm`",
    );
  });
}
