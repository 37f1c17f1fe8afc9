/** Reads the properties of the container where a host's commands run. */

import { z } from "zod";
import { HostError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { parseJson } from "../../runs/versions.ts";
import { containerFault } from "../hosts/container_fault.ts";
import { type ContainerPlace, wordsWithin } from "../hosts/place.ts";
import { quoteWords, type Shell } from "../hosts/shell.ts";

const reportSchema = z.object({
  /**
   * The name of the container's network. `host` means that the container shares the network of its host, as Ray and the
   * episode servers require.
   */
  network: z.string(),
  mounts: z.array(z.looseObject({ Destination: z.string() })),
});

/** The properties of a container. */
export interface ContainerReport {
  /** The name of the container's network. `host` means that the container shares the network of its host. */
  readonly network: string;
  /**
   * The paths in the container at which directories or volumes are mounted. Files in other directories are lost when
   * the container is removed.
   */
  readonly mounts: readonly string[];
}

const FORMAT =
  '{"network": "{{.HostConfig.NetworkMode}}", "mounts": {{json .Mounts}}}';

/**
 * Inspects a container with its engine.
 * @param outside The shell of the host, outside the container.
 * @throws {HostError} If the container does not exist, or its engine does not respond.
 */
export async function reportOf(
  place: ContainerPlace,
  { outside, signal }: CallOptions & { readonly outside: Shell },
): Promise<ContainerReport> {
  const { engine, name } = place;
  const script = quoteWords([
    ...[engine, "container", "inspect", "-f", FORMAT, name],
  ]);
  const { code, stdout, stderr } = await outside.run({ script }, { signal });
  const parsed = reportSchema.safeParse(parseJson(stdout));
  if (code === 0 && parsed.success) {
    const { network, mounts } = parsed.data;
    return { network, mounts: mounts.map(({ Destination }) => Destination) };
  }
  const lost = { said: stderr, status: code, began: false };
  const fault = containerFault(lost, wordsWithin(place));
  const reason = fault?.reason ?? `${engine} cannot inspect "${name}"`;
  throw new HostError(
    `${outside.name}: ${reason}: ${
      stderr.trim() ||
      (code === 0 ? "its report is not JSON" : `exit status ${code}`)
    }`,
    {
      hint: fault?.hint ?? `see the error with this command: ${script}`,
      isDown: fault?.isDown ?? false,
    },
  );
}
