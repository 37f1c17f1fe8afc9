import assert from "node:assert/strict";
import fc from "fast-check";
import {
  parseListeners,
  readListeners,
} from "../../../../train/slime/doctor/listeners.ts";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";

function line(
  index: number,
  { bytes, port, state }: { bytes: number[]; port: number; state: string },
): string {
  const hex = (value: number, width: number) =>
    value.toString(16).toUpperCase().padStart(width, "0");
  const address = bytes.toReversed().map((byte) => hex(byte, 2)).join("");
  return `   ${index}: ${address}:${
    hex(port, 4)
  } 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  0 0 1 1\n`;
}

Deno.test("parseListeners() reads every listening address and port, and no others", () => {
  const socket = fc.record({
    bytes: fc.array(fc.integer({ min: 0, max: 255 }), {
      minLength: 4,
      maxLength: 4,
    }),
    port: fc.integer({ min: 1, max: 65535 }),
    state: fc.constantFrom("01", "06", "08", "0A"),
  });
  fc.assert(fc.property(fc.array(socket), (sockets) => {
    const table = HEAD + sockets.map((one, i) => line(i, one)).join("");
    assert.deepEqual(
      parseListeners(table),
      sockets.filter(({ state }) => state === "0A").map(({ bytes, port }) => ({
        port,
        address: bytes.every((byte) => byte === 0) ? "*" : bytes.join("."),
      })),
    );
  }));
});

Deno.test("readListeners() finds a socket of this machine, and its address", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const found = (await readListeners(localShell())).find((one) =>
    one.port === port
  );
  assert.equal(found?.address, "127.0.0.1");
});
