/**
 * Whether GPUs are joined by NVLink, as `nvidia-smi` sees it.
 *
 * @see slime `examples/tau-bench/run_qwen3_4B.sh`, which counts the same marks.
 * @module
 */

import { HostError } from "../../env/errors.ts";
import type { Shell } from "../hosts/shell.ts";

/** @returns `null` where a host has no `nvidia-smi`, or cannot be reached. */
export async function hasNvlink(shell: Shell): Promise<boolean | null> {
  try {
    const script = "nvidia-smi topo -m 2>/dev/null";
    const { code, stdout } = await shell.run({ script });
    return code === 0 ? /\bNV\d+\b/.test(stdout) : null;
  } catch (error) {
    if (error instanceof HostError) return null; // whatever comes next says so
    throw error;
  }
}
