/// <reference lib="deno.worker" />
/** The code of a crew's worker thread, which sleeps until it is told to run a kernel on the shared memory. */

import {
  BLOCK_BYTES,
  COMMANDS,
  FIELD,
  TEXT_OFFSET,
  type WorkerStart,
} from "./crew_protocol.ts";
import { bindKernels, type Kernels } from "./kernel_module.ts";

self.onmessage = (event: MessageEvent<WorkerStart>) => {
  const { module, memory, block } = event.data;
  const kernels = bindKernels(module, memory);
  // Growing the memory does not move the first bytes of the buffer, so this view stays valid.
  const fields = new Int32Array(memory.buffer, block, TEXT_OFFSET / 4);
  const text = new Uint8Array(
    memory.buffer,
    block + TEXT_OFFSET,
    BLOCK_BYTES - TEXT_OFFSET,
  );
  self.postMessage("ready");
  serve(kernels, fields, text);
  self.close();
};

function serve(kernels: Kernels, fields: Int32Array, text: Uint8Array): void {
  for (let seen = 0;;) {
    Atomics.wait(fields, FIELD.go, seen);
    const go = Atomics.load(fields, FIELD.go);
    if (go === seen) continue;
    seen = go;
    const command = COMMANDS[fields[FIELD.command]!]!;
    if (command === "exit") return;
    try {
      const [a, b, c] = fields.subarray(FIELD.argument, FIELD.argument + 3);
      kernels[command](a!, b!, c!);
      fields[FIELD.failed] = 0;
    } catch (error) {
      const words = new TextEncoder().encode(String(error)).slice(
        0,
        text.length,
      );
      text.set(words);
      fields[FIELD.failed] = words.length;
    }
    Atomics.store(fields, FIELD.done, seen);
    Atomics.notify(fields, FIELD.done);
  }
}
