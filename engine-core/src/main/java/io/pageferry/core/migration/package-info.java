/** What a migration needs of its surroundings, and how it ends: guests, journals, figures. */
package io.pageferry.core.migration;
