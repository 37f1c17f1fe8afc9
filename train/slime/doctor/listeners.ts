/**
 * Lists the listening sockets of a host from Linux's socket table. Reading it needs neither an additional program nor
 * privileges.
 *
 * @see https://docs.kernel.org/networking/proc_net_tcp.html
 */

import type { CallOptions } from "../../../env/types.ts";
import type { Shell } from "../hosts/shell.ts";

/** A listening socket. */
export interface Listener {
  readonly port: number;
  /** The address, such as `127.0.0.1`. It is `*` for all addresses, and for every IPv6 address. */
  readonly address: string;
  /** The process that listens, if known, such as `redis-server (process 812)`. */
  readonly holder?: string;
}

/** A script that prints the socket table and, if `ss` is installed, the names of the processes. */
const SCRIPT = `cat /proc/net/tcp /proc/net/tcp6 2>/dev/null
echo ---
ss -Hltnp 2>/dev/null || true`;

/**
 * Lists the listening sockets of a host.
 * @throws {HostError} If the host cannot be reached.
 */
export async function readListeners(
  host: Shell,
  options: CallOptions = {},
): Promise<Listener[]> {
  const { stdout } = await host.run({ script: SCRIPT }, options);
  const [table = "", list = ""] = stdout.split("---\n");
  const holders = holdersOf(list);
  return parseListeners(table).map((one) => {
    const holder = holders.get(one.port);
    return holder === undefined ? one : { ...one, holder };
  });
}

/**
 * Parses the socket table. Listening sockets have the state `0A`; numbers are hexadecimal, and addresses are
 * little-endian.
 */
export function parseListeners(table: string): Listener[] {
  const rows = table.matchAll(
    /^[ \t]*\d+: ([\dA-F]+):([\dA-F]{4}) [\dA-F]+:[\dA-F]{4} 0A /gm,
  );
  return [...rows].map(([, address = "", port = ""]) => ({
    port: parseInt(port, 16),
    address: addressOf(address),
  }));
}

function addressOf(hex: string): string {
  if (hex.length !== 8 || /^0+$/.test(hex)) return "*";
  const bytes = hex.match(/../g) ?? [];
  return bytes.reverse().map((byte) => parseInt(byte, 16)).join(".");
}

function holdersOf(list: string): Map<number, string> {
  const rows = list.matchAll(/:(\d+)\s+\S+\s+users:\(\("([^"]+)",pid=(\d+)/g);
  return new Map(
    [...rows].map((
      [, port, name, pid],
    ) => [Number(port), `${name} (process ${pid})`]),
  );
}
