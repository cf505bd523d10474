// A network that breaks connections at random, in the middle of what is written on them.
import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Random numbers from 0 up to, but not including, 1, the same for each seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Chaos {
  url: string;
  /** How many connections were broken so far. */
  readonly cuts: number;
  close(): Promise<void>;
}

/**
 * Forwards connections to the server at `target`. Each of the first `most` connections is broken, after a
 * random number of bytes from the server or a random time, whichever comes first. Half of them end with a reset.
 */
export async function chaos(target: string, random: () => number, most: number): Promise<Chaos> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let opened = 0;
  let cuts = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const pair = [near, far];
    for (const s of pair) {
      sockets.add(s);
      s.on('close', () => sockets.delete(s));
      s.on('error', () => {}); // what this file is about
    }
    const breaks = opened++ < most;
    let left = breaks ? Math.floor(random() * 4000) : Infinity;
    const reset = random() < 0.5;
    const cut = () => {
      clearTimeout(timeout);
      if (near.destroyed) return;
      cuts++;
      if (reset) near.resetAndDestroy();
      else near.destroy();
      far.destroy();
    };
    const timeout = breaks ? setTimeout(cut, 20 + random() * 400) : undefined;
    near.on('close', () => {
      clearTimeout(timeout);
      far.destroy();
    });
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.on('data', (data) => {
      if (near.destroyed) return;
      const part = data.subarray(0, left);
      left -= part.length;
      if (left > 0) near.write(part);
      else near.write(part, cut); // the client has read this much of it
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    close: () => {
      for (const s of sockets) s.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
