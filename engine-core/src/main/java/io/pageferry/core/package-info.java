/** What moves a guest's memory and decides when it is enough; starts no thread, opens no socket. */
package io.pageferry.core;
