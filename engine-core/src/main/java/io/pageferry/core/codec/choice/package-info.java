/** Whether pages are compressed, and by what: learned from rates while they move. */
package io.pageferry.core.codec.choice;
