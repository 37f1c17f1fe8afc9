import assert from "node:assert/strict";
import {
  isJoinedByNvlink,
  parseDriverCuda,
  parseGpuProcesses,
  parseGpus,
  parseTopology,
} from "../../../../train/slime/doctor/nvidia_smi.ts";
import { gpuRows, topology } from "../../../support/doctor.ts";

Deno.test("parseGpus() sorts rows by index, even if the driver does not report every field", () => {
  const rows = gpuRows(3).trim().split("\n").reverse();
  const text = rows.join("\n").replace("9.0", "[N/A]");
  const gpus = parseGpus(text);
  assert.deepEqual(gpus.map(({ index }) => index), [0, 1, 2]);
  assert.deepEqual(gpus.map(({ capability }) => capability), [9, 9, null]);
  assert.equal(gpus[0]?.memoryMiB, 81559);
  assert.deepEqual(parseGpus("No devices were found\n"), []);
  assert.throws(
    () => parseGpus("0, GPU-0, H100, [N/A], 4, 575, 9.0"),
    RangeError,
  );
});

Deno.test("parseGpuProcesses() reads names with commas, and nothing if there are no processes", () => {
  assert.deepEqual(parseGpuProcesses("GPU-1, 12, python3 -c a, b\n"), [
    { uuid: "GPU-1", pid: 12, name: "python3 -c a, b" },
  ]);
  assert.deepEqual(parseGpuProcesses("No running processes found\n"), []);
  assert.deepEqual(parseGpuProcesses(""), []);
});

Deno.test("parseDriverCuda() reads the header of nvidia-smi from old and new drivers", () => {
  const old =
    "| NVIDIA-SMI 550.54.15  Driver Version: 550.54.15  CUDA Version: 12.4 |";
  assert.deepEqual(parseDriverCuda(old), [12, 4]);
  assert.deepEqual(parseDriverCuda("CUDA Version                : 13.0"), [
    13,
    0,
  ]);
  assert.equal(parseDriverCuda("nvidia-smi: not found"), null);
});

Deno.test("parseTopology() reads only the matrix, despite colors and network cards around it", () => {
  const text = topology(4, "NV18").replaceAll("\t0-63", "\tSYS\t0-63") +
    "\nNIC0\tSYS\tSYS\tSYS\tSYS\t X \n";
  const matrix = parseTopology(text);
  assert.deepEqual(matrix.map((row) => row.length), [4, 4, 4, 4]);
  assert.equal(isJoinedByNvlink(matrix, 4), true);
  assert.equal(isJoinedByNvlink(matrix, 5), false);
  assert.deepEqual(parseTopology("nvidia-smi: not found"), []);
});

Deno.test("isJoinedByNvlink() requires NVLink between all planned GPUs, and no others", () => {
  const pairs = [
    ["X", "NV4", "SYS", "SYS"],
    ["NV4", "X", "SYS", "SYS"],
    ["SYS", "SYS", "X", "NV4"],
    ["SYS", "SYS", "NV4", "X"],
  ];
  assert.equal(isJoinedByNvlink(pairs, 2), true);
  assert.equal(isJoinedByNvlink(pairs, 4), false);
});
