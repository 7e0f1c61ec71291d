/** Words that the whole engine has in common. */
package io.pageferry.core.words;
