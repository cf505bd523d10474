// Drives GraphiQL of a demo, at 1200 px and with the docs open:
//
//     node graphiql.mjs http://127.0.0.1:8080
import { inBrowser, until } from './browser.mjs';

const [demo] = process.argv.slice(2);

await inBrowser(async (page) => {
  const response = page.locator('.graphiql-response');
  // GraphiQL sends what its editors held a moment ago: it is asked again until it sends what the tab has.
  const run = async (tab, ...want) => {
    await page.getByRole('tab', { name: tab }).click();
    await until(`${want} in the response of ${tab}`, async () => {
      await page.getByRole('button', { name: /Execute/ }).click();
      return await response.filter({ hasText: new RegExp(want.join('[^]*')) }).waitFor({ timeout: 2000 }).then(() => true, () => false);
    });
  };

  await page.goto(`${demo}/graphiql`);
  await until('the tabs of the owner', async () => {
    await page.getByRole('button', { name: /Execute/ }).click();
    return await page.getByRole('tab', { name: 'Invite' }).waitFor({ timeout: 2000 }).then(() => true, () => false);
  });
  await page.getByRole('button', { name: /Show Documentation/ }).click();

  await run('People', '"totalCount":\\s8', 'Lars\\sLate');
  await run('Roles', '"viewerCanInvite":\\strue', '"account_admin"');
  await run('Invite', 'new\\.colleague@acme\\.test', '"PENDING"', '"userErrors":\\s\\[\\]');
  await run('LiveStatus', '"type":', 'new\\.colleague@acme\\.test');

  for (const part of ['.graphiql-query-editor', '.graphiql-response']) {
    const { width } = await page.locator(part).boundingBox();
    if (width < 400) {
      throw new Error(`${part} is ${width} px wide, want 400`);
    }
  }
  if (process.env.SCREENSHOT_AT_END) {
    await page.screenshot({ path: process.env.SCREENSHOT_AT_END });
  }
});
