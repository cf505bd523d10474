import { chromium } from 'playwright-core';

/**
 * Runs a story in a new browser, and prints what the page complained about when the story fails.
 * CHROMIUM names the browser; the default is Debian's.
 */
export async function inBrowser(story) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
    page.setDefaultTimeout(20_000);
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    try {
      await story(page, browser);
    } catch (error) {
      await page.screenshot({ path: process.env.SCREENSHOT ?? 'failed.png' });
      throw new Error(`${error.message}\nThe page shows: ${await page.locator('body').innerText()}\nIts console: ${complaints.join('\n')}`);
    }
  } finally {
    await browser.close();
  }
}

/** Waits until condition returns a value that counts as true, and returns it. */
export async function until(what, condition) {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    const value = await condition();
    if (value) {
      return value;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still waiting: ${what}`);
}
