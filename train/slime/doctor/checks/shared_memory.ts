/** Checks the size of the shared memory that Ray and NCCL use. */

import { type Check, fail, onEachHost, pass, warn } from "../check.ts";
import { gigabytes, readVolume } from "../host_disks.ts";

/** The number of bytes needed for Ray's object store and NCCL's buffers. */
const SHM_BYTES = 16e9;

/** The `shared-memory` check. */
export const check: Check = {
  id: "shared-memory",
  order: 50,
  title: "every host has at least 16 GB in /dev/shm",
  run: ({ hosts, signal }) =>
    onEachHost(hosts, async (host) => {
      const { size, free } = await readVolume(host, "/dev/shm", signal);
      if (size < SHM_BYTES) {
        return [fail(
          `/dev/shm has ${gigabytes(size)}, but Ray and NCCL need 16 GB`,
          "start the container with --shm-size=32g (or --ipc=host), or run mount -o remount,size=32G /dev/shm",
        )];
      }
      return free < SHM_BYTES / 2
        ? [warn(
          `/dev/shm has only ${gigabytes(free)} free of ${gigabytes(size)}`,
          "remove the files of earlier runs from /dev/shm",
        )]
        : [pass(`/dev/shm has ${gigabytes(free)} free of ${gigabytes(size)}`)];
    }),
};
