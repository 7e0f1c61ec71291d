/** XML that somebody else wrote, read and written by the JDK's own means. */
package io.pageferry.agent.guest.xml;
