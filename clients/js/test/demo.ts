// Builds and starts the demo of this repository, and ends it.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from '@convoke/client';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const PASSWORD = 'correct horse battery staple';

export interface Demo {
  url: string;
  stop(): Promise<void>;
}

/** Starts the demo on a free port. */
export async function startDemo(): Promise<Demo> {
  const binary = fileURLToPath(new URL('../convoke', import.meta.url));
  execFileSync('go', ['build', '-o', binary, './cmd/convoke'], { cwd: root, stdio: 'inherit' });
  const demo = spawn(binary, ['demo', '--addr', '127.0.0.1:0', '--rate-limits', 'off', '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => demo.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: demo.stdout }).on('line', (line) => {
      const address = /Start +(http:\S+)\//.exec(line)?.[1];
      if (address) resolve(address);
    });
    void ended.then(() => reject(new Error('The demo did not start.')));
  });
  return {
    url,
    stop: () => {
      demo.kill();
      return ended;
    },
  };
}

/** Returns the session token of one of the people of the sample. */
export async function signIn(url: string, email: string): Promise<string> {
  const { data } = await createClient({ url: `${url}/graphql` }).request<{ signIn: { sessionToken: string } }>(
    `mutation($in: SignInInput!) { signIn(input: $in) { sessionToken } }`,
    { in: { email, password: PASSWORD, transport: 'BEARER' } },
  );
  return data.signIn.sessionToken;
}
