// Drives one example against a demo:
//
//     node example.mjs urql http://127.0.0.1:8080
//
// The owner signs in, pages through the people and invites Nina; Nina accepts with the link in her mail, in a browser of her own.
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { inBrowser, until } from './browser.mjs';

const [name, demo] = process.argv.slice(2);
const folder = join(dirname(fileURLToPath(import.meta.url)), '..', name);
const nina = 'nina@acme.test';

const port = await freePort();
const vite = spawn('node', ['node_modules/vite/bin/vite.js', 'preview', '--host', '127.0.0.1', '--port', port, '--strictPort'], {
  cwd: folder,
  env: { ...process.env, CONVOKE_URL: demo },
  stdio: ['ignore', 'ignore', 'inherit'],
});
try {
  const url = `http://127.0.0.1:${port}`;
  await until('the example is served', () => fetch(url).then((response) => response.ok, () => false));
  await inBrowser((page, browser) => story(page, browser, url));
} finally {
  vite.kill();
}

async function story(page, browser, url) {
  const row = (text, status) => page.getByRole('row').filter({ hasText: text }).filter({ hasText: status });

  await page.goto(url);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Acme Security' }).waitFor();

  // A page of five, and the next one.
  await row('@', 'ACTIVE').or(row('', 'INVITED')).first().waitFor();
  equal('rows of a page', await page.locator('tbody tr').count(), 5);
  await page.getByRole('button', { name: 'More' }).click();
  await row('Olivia Owens', 'ACTIVE').waitFor();
  const people = await page.locator('tbody tr').count();

  // A wrong address is refused at its field.
  await page.getByLabel('Address').fill('nobody');
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await page.getByRole('alert').filter({ hasText: 'Address:' }).waitFor();
  equal('rows after a refusal', await page.locator('tbody tr').count(), people);

  // The row is there before the server has answered.
  let answer;
  const answered = new Promise((resolve) => (answer = resolve));
  await page.route('**/graphql', async (route) => {
    if (route.request().postData()?.includes('mutation Invite')) {
      await answered;
    }
    await route.continue();
  });
  await page.getByLabel('Address').fill(nina);
  await page.getByLabel('Role').selectOption({ label: 'Installer' });
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await row(nina, 'INVITED').filter({ hasText: 'Installer' }).and(page.locator('[aria-busy=true]')).waitFor();
  answer();
  await row(nina, 'INVITED').and(page.locator('[aria-busy=false]')).waitFor();
  // The live change may come before the answer: then both rows are there until it does.
  await until('there is one row of Nina', async () => (await row(nina, '').count()) === 1);

  // Nina accepts. The owner's page shows it by itself.
  const visitor = await (await browser.newContext()).newPage();
  await visitor.goto(await linkFor(nina));
  await visitor.getByLabel('First name').fill('Nina');
  await visitor.getByLabel('Password', { exact: true }).fill('a sentence only nina knows');
  await visitor.getByRole('button', { name: /Accept|Join/ }).click();
  await row('Nina', 'ACTIVE').waitFor();
  await until('there is one row of Nina', async () => (await row('Nina', '').count()) === 1);
  await until('the list has one row more', async () => (await page.locator('tbody tr').count()) === people + 1);

  // An invitation that is revoked leaves the list.
  await row('Ben Becker', 'INVITED').getByRole('button', { name: 'Revoke' }).click();
  await row('Ben Becker', '').waitFor({ state: 'detached' });
}

/** The link in the newest mail to that address. */
function linkFor(email) {
  return until(`a mail to ${email}`, async () => {
    const mails = await (await fetch(`${demo}/mailbox.json`)).json();
    const mail = mails.find((one) => JSON.stringify(one.to).includes(email));
    return mail && JSON.stringify(mail).match(/https?:[^"\s\\]*\/accept#[\w-]+/)?.[0];
  });
}

function equal(what, got, want) {
  if (got !== want) {
    throw new Error(`${what}: got ${got}, want ${want}`);
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(String(port)));
    });
  });
}
