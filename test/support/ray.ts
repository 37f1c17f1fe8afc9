/**
 * Provides fixtures for tests with a real Ray: a Python interpreter, free ports, and a proxy whose connections can be
 * cut.
 */

import { testPython } from "./python.ts";

/**
 * Returns the path of the Python interpreter that has Ray. Returns `python3` if there is none; tests that need Ray are
 * then ignored.
 */
export function rayPython(): string {
  return testPython() ?? "python3";
}

/**
 * Returns the source of a `ray` script that starts Ray with settings that recipes lack: few resources, a GPU report
 * every second, and only the dashboard modules that taulab uses, because each module is a process.
 */
export function smallRay(): string {
  const flags = {
    "num-cpus": 0,
    "object-store-memory": 100_000_000,
    "min-worker-port": 0,
    "max-worker-port": 0,
  };
  const words = Object.entries(flags).map(([flag, value]) =>
    `--${flag}=${value}`
  );
  return `#!${rayPython()}
import os
import sys

os.environ["AUTOSCALER_UPDATE_INTERVAL_S"] = "1"
from ray._private import services
from ray.scripts.scripts import main

start = services.start_ray_process


def start_less(command, process_type, **options):
    if process_type == "dashboard":
        command = [*command, "--modules-to-load=JobHead,NodeHead,ReportHead"]
    return start(command, process_type, **options)


services.start_ray_process = start_less
sys.argv += ${JSON.stringify(words)}
main()
`;
}

/** Returns a port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** A proxy to a port on this machine. Its connections can be cut, and new ones allowed again. */
export interface CutWire extends AsyncDisposable {
  readonly url: string;
  /** Breaks all connections and refuses new connections. */
  cut(): void;
  restore(): void;
}

/** Starts a proxy to another port on this machine. The proxy's connections can be cut. */
export function cutWire(port: number): CutWire {
  const own = freePort();
  let listener: Deno.TcpListener | undefined;
  const connections = new Set<Deno.Conn>();
  async function accept(from: Deno.TcpListener): Promise<void> {
    for await (const near of from) link(near).catch(() => {});
  }
  async function link(near: Deno.Conn): Promise<void> {
    const far = await Deno.connect({ hostname: "127.0.0.1", port });
    const both = [near, far];
    for (const one of both) connections.add(one);
    try {
      await Promise.all([
        near.readable.pipeTo(far.writable),
        far.readable.pipeTo(near.writable),
      ]);
    } finally {
      for (const one of both) {
        connections.delete(one);
        close(one);
      }
    }
  }
  const wire: CutWire = {
    url: `http://127.0.0.1:${own}`,
    cut() {
      listener?.close();
      listener = undefined;
      for (const one of connections) close(one);
    },
    restore() {
      listener = Deno.listen({ hostname: "127.0.0.1", port: own });
      accept(listener).catch(() => {});
    },
    [Symbol.asyncDispose]() {
      wire.cut();
      return Promise.resolve();
    },
  };
  wire.restore();
  return wire;
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is already closed.
  }
}
