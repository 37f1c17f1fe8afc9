/** Checks that the recipe's setting for NVLink matches the hosts' GPUs. */

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

/** The `nvlink` check. */
export const check: Check = {
  id: "nvlink",
  order: 20,
  title: "NVLink between a host's GPUs matches cluster.nvlink",
  async run({ config, hostGpus: count, hosts, signal }) {
    if (count < 2) {
      return [
        skipped(
          "only one GPU per host is planned",
        ),
      ];
    }
    return await onEachHost(hosts, async (host) => {
      const isJoined = await readNvlink(host, { count, signal });
      return [judge(isJoined, config.cluster.nvlink)];
    });
  },
};

/**
 * Checks whether the first `count` GPUs of a host are all connected to each other by NVLink.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If `nvidia-smi` does not report how the GPUs are connected.
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
  const why = code === 0
    ? topology.length === 0
      ? "it lists none of them"
      : `it lists only ${topology.length} of them`
    : lastWords(stderr.trim() || stdout, code);
  throw new DataError(
    `nvidia-smi does not report how ${count} GPUs are connected: ${why}`,
    { hint: 'fix what the check "gpus" reports' },
  );
}

function judge(isJoined: boolean, said: "auto" | "yes" | "no"): Observed {
  if (isJoined && said === "no") {
    return warn(
      "the GPUs are connected by NVLink, but cluster.nvlink is no, which makes collectives slower",
      "set cluster.nvlink to auto",
    );
  }
  if (!isJoined && said === "yes") {
    return fail(
      "the GPUs are not all connected by NVLink, but cluster.nvlink is yes",
      "set cluster.nvlink to auto or no",
    );
  }
  return pass(
    isJoined
      ? "the GPUs are connected by NVLink"
      : "the GPUs are connected by PCIe, without NVLink",
  );
}
