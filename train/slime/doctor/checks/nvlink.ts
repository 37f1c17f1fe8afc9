/** NVLink, against what the recipe says of it. */

import type { CallOptions } from "../../../../env/types.ts";
import { DataError } from "../../../../env/errors.ts";
import type { Shell } from "../../hosts/shell.ts";
import {
  type Check,
  fail,
  type Observed,
  onEachHost,
  pass,
  skipped,
  warn,
} from "../check.ts";
import { lastWords } from "../host_file.ts";
import { isJoinedByNvlink, parseTopology } from "../nvidia_smi.ts";

/** The check `nvlink`. */
export const check: Check = {
  id: "nvlink",
  order: 20,
  title: "NVLink between the GPUs of a host, as cluster.nvlink has it",
  async run({ config, hostGpus: count, hosts, signal }) {
    if (count < 2) {
      return [
        skipped("one GPU a host is planned; it has none to be joined to"),
      ];
    }
    return await onEachHost(hosts, async (host) => {
      const isJoined = await readNvlink(host, { count, signal });
      return [judge(isJoined, config.cluster.nvlink)];
    });
  },
};

/**
 * Whether the first GPUs of a host are joined by NVLink, each with each.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If it does not tell.
 */
export async function readNvlink(
  host: Shell,
  { count, signal }: CallOptions & { readonly count: number },
): Promise<boolean> {
  const { code, stdout, stderr } = await host.run(
    { script: "nvidia-smi topo -m" },
    { signal },
  );
  const topology = parseTopology(stdout);
  if (code === 0 && topology.length >= count) {
    return isJoinedByNvlink(topology, count);
  }
  throw new DataError(
    `nvidia-smi does not tell how ${count} GPUs are joined: ${
      lastWords(stderr.trim() || stdout, code)
    }`,
    { hint: "see the check gpus, or leave this out by --skip nvlink" },
  );
}

function judge(isJoined: boolean, said: "auto" | "yes" | "no"): Observed {
  if (isJoined && said === "no") {
    return warn(
      "its GPUs are joined by NVLink, and cluster.nvlink says no",
      "set cluster.nvlink to auto: without NVLS collectives are slower",
    );
  }
  if (!isJoined && said === "yes") {
    return fail(
      "its GPUs are not all joined by NVLink, and cluster.nvlink says yes",
      "set cluster.nvlink to auto or no: NCCL_NVLS_ENABLE=1 is for NVLink only",
    );
  }
  return pass(
    isJoined
      ? "its GPUs are joined by NVLink"
      : "its GPUs are joined by PCIe, without NVLink",
  );
}
