/**
 * Parses the output of `nvidia-smi`.
 *
 * @see https://docs.nvidia.com/deploy/nvidia-smi/ for `--query-gpu`, `--query-compute-apps` and `topo -m`.
 */

/** A GPU, as `nvidia-smi` reports it. */
export interface Gpu {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly memoryMiB: number;
  readonly usedMiB: number;
  /** The version of the driver, such as `575.57.08`. */
  readonly driver: string;
  /** The compute capability, such as 9.0; `null` if the driver does not report it. */
  readonly capability: number | null;
}

/** A process that uses a GPU. */
export interface GpuProcess {
  /** The UUID of the GPU. */
  readonly uuid: string;
  readonly pid: number;
  readonly name: string;
}

/** The `nvidia-smi` command whose output {@linkcode parseGpus} parses. */
export const GPU_QUERY =
  "nvidia-smi --query-gpu=index,uuid,name,memory.total,memory.used,driver_version,compute_cap --format=csv,noheader,nounits";

/** The `nvidia-smi` command whose output {@linkcode parseGpuProcesses} parses. */
export const PROCESS_QUERY =
  "nvidia-smi --query-compute-apps=gpu_uuid,pid,process_name --format=csv,noheader,nounits";

/**
 * Parses the output of {@linkcode GPU_QUERY}.
 * @returns The GPUs, sorted by index.
 * @throws {RangeError} If a line has an unexpected format. The message quotes the line.
 */
export function parseGpus(text: string): Gpu[] {
  return rowsOf(text).map((cells) => {
    const [index, uuid, name, memory, used, driver, capability] = cells;
    const gpu = {
      index: Number(index),
      uuid: uuid ?? "",
      name: name ?? "",
      memoryMiB: Number(memory),
      usedMiB: Number(used),
      driver: driver ?? "",
      capability: Number.isFinite(Number(capability))
        ? Number(capability)
        : null,
    };
    const numbers = [gpu.index, gpu.memoryMiB, gpu.usedMiB];
    if (cells.length === 7 && numbers.every(Number.isFinite)) return gpu;
    throw new RangeError(`Unexpected nvidia-smi output: "${cells.join(", ")}"`);
  }).sort((a, b) => a.index - b.index);
}

/**
 * Parses the output of {@linkcode PROCESS_QUERY}.
 * @returns The processes that use GPUs; empty if there are none.
 */
export function parseGpuProcesses(text: string): GpuProcess[] {
  return rowsOf(text).flatMap(([uuid = "", pid, ...name]) =>
    Number.isInteger(Number(pid))
      ? [{ uuid, pid: Number(pid), name: name.join(", ") }]
      : []
  );
}

/**
 * Parses, from the header of `nvidia-smi`, the newest CUDA version that the driver supports.
 * @returns The version, such as `[12, 9]`; `null` if the header does not contain a version.
 */
export function parseDriverCuda(text: string): [number, number] | null {
  const found = /CUDA (?:UMD )?Version\s*:\s*(\d+)\.(\d+)/.exec(text);
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

/**
 * Parses the output of `nvidia-smi topo -m`, which shows how the GPUs of a host are connected.
 * @returns `[G][G]`, the cells of the matrix, such as `X`, `NV18`, `PHB` or `SYS`; empty if there is no matrix. `G` is
 * the number of GPUs.
 */
export function parseTopology(text: string): string[][] {
  // nvidia-smi prints colors even if its output is a pipe.
  // deno-lint-ignore no-control-regex
  const lines = text.replace(/\x1b\[[\d;]*m/g, "").split("\n");
  const rows = lines.map((line) => line.trim().split(/\s+/)).filter((
    [name = "", first = ""],
  ) => /^GPU\d+$/.test(name) && !/^GPU\d+$/.test(first));
  return rows.map((row) => row.slice(1, 1 + rows.length));
}

/** Checks whether the first `count` GPUs are all connected to each other by NVLink. */
export function isJoinedByNvlink(
  topology: readonly (readonly string[])[],
  count: number,
): boolean {
  const rows = topology.slice(0, count);
  return rows.length === count &&
    rows.every((row, a) =>
      row.slice(0, count).every((link, b) => a === b || /^NV\d+$/.test(link))
    );
}

function rowsOf(text: string): string[][] {
  return text.split("\n").map((line) => line.trim()).filter((line) =>
    line !== "" && !/^No (devices|running processes)/i.test(line)
  ).map((line) => line.split(",").map((cell) => cell.trim()));
}
