(section (atx_heading (inline) @name)) @definition.heading
(section (setext_heading (paragraph (inline) @name))) @definition.heading
