/**
 * Reads what `nvidia-smi` prints.
 *
 * @see https://docs.nvidia.com/deploy/nvidia-smi/ for `--query-gpu`, `--query-compute-apps` and `topo -m`.
 */

/** A GPU of a host. */
export interface Gpu {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly memoryMiB: number;
  readonly usedMiB: number;
  /** `575.57.08`. */
  readonly driver: string;
  /** `9.0`; `null` where the driver does not tell. */
  readonly capability: number | null;
}

/** A process that computes on a GPU. */
export interface GpuProcess {
  readonly uuid: string;
  readonly pid: number;
  readonly name: string;
}

/** What {@linkcode parseGpus} reads. */
export const GPU_QUERY =
  "nvidia-smi --query-gpu=index,uuid,name,memory.total,memory.used,driver_version,compute_cap --format=csv,noheader,nounits";

/** What {@linkcode parseGpuProcesses} reads. */
export const PROCESS_QUERY =
  "nvidia-smi --query-compute-apps=gpu_uuid,pid,process_name --format=csv,noheader,nounits";

/**
 * The GPUs, by index.
 * @throws {RangeError} If a line is not of {@linkcode GPU_QUERY}; with it.
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
    throw new RangeError(`nvidia-smi says "${cells.join(", ")}"`);
  }).sort((a, b) => a.index - b.index);
}

/** The processes; none where nothing computes. */
export function parseGpuProcesses(text: string): GpuProcess[] {
  return rowsOf(text).flatMap(([uuid = "", pid, ...name]) =>
    Number.isInteger(Number(pid))
      ? [{ uuid, pid: Number(pid), name: name.join(", ") }]
      : []
  );
}

/** The newest CUDA that the driver runs, `[12, 9]`, of the head of `nvidia-smi`; `null` where it does not say. */
export function parseDriverCuda(text: string): [number, number] | null {
  const found = /CUDA (?:UMD )?Version\s*:\s*(\d+)\.(\d+)/.exec(text);
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

/**
 * How GPUs are joined, of `nvidia-smi topo -m`.
 * @returns `[G][G]`, the words of the matrix: `X`, `NV18`, `PHB`, `SYS`; empty where there is no matrix.
 */
export function parseTopology(text: string): string[][] {
  // Colours are written even into pipes.
  // deno-lint-ignore no-control-regex
  const lines = text.replace(/\x1b\[[\d;]*m/g, "").split("\n");
  const rows = lines.map((line) => line.trim().split(/\s+/)).filter((
    [name = "", first = ""],
  ) => /^GPU\d+$/.test(name) && !/^GPU\d+$/.test(first));
  return rows.map((row) => row.slice(1, 1 + rows.length));
}

/** Whether each two of the first `count` GPUs are joined by NVLink. */
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
