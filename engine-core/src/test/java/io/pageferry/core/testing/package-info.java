/** What tests of every module may use: guests, links, journals and clocks without a machine. */
package io.pageferry.core.testing;
