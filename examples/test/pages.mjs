// Drives the pages to which mails lead, by keyboard and mouse, on a new demo:
//
//     node pages.mjs http://127.0.0.1:8080
import { inBrowser, until } from './browser.mjs';

const [url] = process.argv.slice(2);
const password = 'correct horse battery staple';

/** Sends an operation as one of the demo's people. */
async function call(query, variables, token) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) {
    throw new Error(JSON.stringify(errors));
  }
  return data;
}

/** The newest link to a page in the mails to an address. */
function link(to, page) {
  return until(`a link to /${page} for ${to}`, async () => {
    const mails = await (await fetch(`${url}/mailbox.json`)).json();
    return mails.filter((mail) => mail.to === to).map((mail) => mail.text.match(new RegExp(`http\\S*/${page}#\\S+`))?.[0]).find(Boolean);
  });
}

const { signIn } = await call('mutation($i: SignInInput!) { signIn(input: $i) { sessionToken } }', {
  i: { email: 'adam@acme.test', password, transport: 'BEARER' },
});
const token = signIn.sessionToken;

await inBrowser(async (page) => {
  const heading = (name) => page.getByRole('heading', { name }).waitFor();
  // The body has the focus for a moment when the focused button is gone, and contains every text.
  const focused = (text) =>
    until(`the focus on "${text}"`, () => page.evaluate((t) => document.activeElement !== document.body && document.activeElement.textContent.includes(t), text));
  const open = async (to) => {
    await page.goto('about:blank'); // a link that differs only behind the # would not load the page again
    await page.goto(to);
  };

  // The addressee declines, blocks the account and takes that back. The focus never gets lost with a button.
  const invitation = await link('ben@partner.test', 'accept');
  await open(invitation);
  await page.getByRole('button', { name: 'Decline' }).press('Enter');
  await focused('Keep the invitation');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await heading('You have declined');
  await page.getByRole('button', { name: 'Never invite me again' }).press('Enter');
  await focused('cannot invite this address any more');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await focused('can invite this address again');
  await open(invitation);
  await page.getByText('cannot invite this address for some days, unless you allow it').waitFor();

  // Both addresses confirm a change; then their links are over.
  await call('mutation($i: ChangeEmailInput!) { changeEmail(input: $i) { confirmationSent } }', { i: { newEmail: 'adam.new@acme.test', password } }, token);
  for (const [to, says] of [['adam.new@acme.test', 'One more confirmation'], ['adam@acme.test', 'Your address has changed'], ['adam@acme.test', 'This link does not work any more']]) {
    await open(await link(to, 'address'));
    await page.getByRole('button', { name: 'Confirm the change' }).click();
    await heading(says);
  }

  // The home page knows the new address, and gives its user their data.
  await page.goto(url);
  await page.getByLabel('E-mail address').fill('adam.new@acme.test');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download your data' }).click();
  const file = (await download).suggestedFilename();
  if (file !== 'my-data.json') {
    throw new Error(`got the file ${file}`);
  }

  // On a phone a mail replaces the list; coming back, the focus is on the row of that mail.
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${url}/mailbox`);
  await page.getByRole('button', { name: 'vera@acme.test' }).press('Enter');
  await page.getByRole('button', { name: 'All mails' }).press('Enter');
  await focused('vera@acme.test');
});
