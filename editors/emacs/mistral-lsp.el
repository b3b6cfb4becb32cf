;;; mistral-lsp.el --- Ghost text from the mistral-lsp server, by eglot  -*- lexical-binding: t -*-

;; SPDX-License-Identifier: Apache-2.0
;; Package-Requires: ((emacs "28.1") (eglot "1.9"))
;; Version: 0.1

;;; Commentary:

;; Put this file on `load-path', then
;;
;;   (require 'mistral-lsp)
;;   (mistral-lsp-setup 'python-mode)
;;
;; An answer belongs to the place where it was asked for.  What was typed since then is compared with
;; it: as long as both agree, the rest of the answer is shown, and nobody is asked.

;;; Code:

(require 'eglot)

(defgroup mistral-lsp nil "Ghost text from a model on your own machine." :group 'tools)

(defcustom mistral-lsp-command '("mistral-lsp")
  "How the server is started."
  :type '(repeat string))

(defcustom mistral-lsp-automatic t
  "Whether ghost text comes while typing, or only by `mistral-lsp-trigger'."
  :type 'boolean)

(defface mistral-lsp-ghost '((t :inherit shadow)) "What is not written yet.")

(defconst mistral-lsp--invoked 1)
(defconst mistral-lsp--automatic 2)

;; An answer is to replace the region between two markers; what stands before its end and the cursor
;; is compared with its text.
(cl-defstruct mistral-lsp--answer start end text)

(defvar-local mistral-lsp--shown nil "The answer that is shown, if there is one.")
(defvar-local mistral-lsp--overlay nil)
(defvar-local mistral-lsp--text nil "Names the text that was looked at last.")
(defvar-local mistral-lsp--file nil "The file under whose name the server knows the buffer.")
(defvar-local mistral-lsp--asked nil "Names the newest request; an older one's answer is dropped.")

(defun mistral-lsp--rest ()
  "What of the answer is still to be written at point; nil where the text has gone another way."
  (when-let ((answer mistral-lsp--shown))
    (let ((start (mistral-lsp--answer-start answer))
          (text (mistral-lsp--answer-text answer)))
      (when (<= start (point) (mistral-lsp--answer-end answer))
        (let ((typed (buffer-substring-no-properties start (point))))
          (and (string-prefix-p typed text)
               (not (equal text (buffer-substring-no-properties
                                 start (mistral-lsp--answer-end answer))))
               (substring text (length typed))))))))

(defun mistral-lsp--hide ()
  (when mistral-lsp--overlay
    (delete-overlay mistral-lsp--overlay)))

(defun mistral-lsp-clear ()
  "Take ghost text away and drop what is asked for."
  (mistral-lsp--hide)
  (setq mistral-lsp--shown nil
        mistral-lsp--asked nil))

(defun mistral-lsp--draw (rest)
  "Show REST right of point, in place of what it replaces."
  (let ((text (propertize rest 'face 'mistral-lsp-ghost)))
    (put-text-property 0 1 'cursor t text)
    (unless mistral-lsp--overlay
      (setq mistral-lsp--overlay (make-overlay (point) (point) nil t)))
    (move-overlay mistral-lsp--overlay (point) (mistral-lsp--answer-end mistral-lsp--shown))
    (overlay-put mistral-lsp--overlay 'invisible t)
    (overlay-put mistral-lsp--overlay 'after-string text)))

(defun mistral-lsp--server ()
  (and (eglot-managed-p) (eglot-current-server)))

(defun mistral-lsp--notify (method params)
  (when-let ((server (mistral-lsp--server)))
    (jsonrpc-notify server method params)))

(defun mistral-lsp--take (item)
  "Show the answer ITEM, which was asked for at point."
  (let* ((range (plist-get item :range))
         (region (if (fboundp 'eglot-range-region)
                     (eglot-range-region range)
                   (eglot--range-region range))))
    (setq mistral-lsp--shown
          (make-mistral-lsp--answer :start (copy-marker (car region))
                                    :end (copy-marker (cdr region) t)
                                    :text (plist-get item :insertText)))
    (when-let ((rest (mistral-lsp--rest)))
      (mistral-lsp--draw rest)
      (mistral-lsp--notify :mistralLsp/didShow (make-hash-table)))))

(defun mistral-lsp--ask (kind)
  (let ((buffer (current-buffer))
        (place (cons (point) (buffer-chars-modified-tick)))
        (request (list nil)))
    (setq mistral-lsp--asked request)
    (eglot--signal-textDocument/didChange)
    (jsonrpc-async-request
     (mistral-lsp--server) :textDocument/inlineCompletion
     (append (eglot--TextDocumentPositionParams) `(:context (:triggerKind ,kind)))
     :error-fn #'ignore
     :success-fn
     (lambda (result)
       (when (buffer-live-p buffer)
         (with-current-buffer buffer
           (when (and (eq request mistral-lsp--asked)
                      (equal place (cons (point) (buffer-chars-modified-tick))))
             (mapc #'mistral-lsp--take (plist-get result :items)))))))))

(defun mistral-lsp--after-command ()
  "Follow typing: keep what still agrees, and ask where nothing does."
  (let ((rest (mistral-lsp--rest))
        (is-changed (not (eql mistral-lsp--text (buffer-chars-modified-tick)))))
    (setq mistral-lsp--text (buffer-chars-modified-tick))
    (cond (rest (mistral-lsp--draw rest))
          ((and is-changed (not (memq this-command '(undo undo-only undo-redo))))
           (mistral-lsp-clear)
           (when (and mistral-lsp-automatic (mistral-lsp--server))
             (mistral-lsp--ask mistral-lsp--automatic)))
          ((not (memq this-command '(mistral-lsp-trigger nil)))
           (mistral-lsp-clear)))))

(defun mistral-lsp--start ()
  "Let eglot manage a buffer that had no file before."
  (eglot--maybe-activate-editing-mode)
  (unless (eglot-managed-p)
    (eglot-ensure)))

(defun mistral-lsp--close ()
  "Close the document as the server knows it; at a revert, eglot does so."
  (when (and (mistral-lsp--server) (not (bound-and-true-p revert-buffer-in-progress-p)))
    (let ((buffer-file-name mistral-lsp--file))
      (eglot--signal-textDocument/didClose))))

(defun mistral-lsp--reopen ()
  "Close the document under its old name, and open it under the new one."
  (mistral-lsp--close)
  (when (boundp 'eglot--TextDocumentIdentifier-cache)
    (set 'eglot--TextDocumentIdentifier-cache nil))
  (if buffer-file-name
      (eglot--signal-textDocument/didOpen)
    (eglot--managed-mode-off)))

(defun mistral-lsp--renamed ()
  "Follow the buffer to another file; eglot would go on without opening it."
  (unless (equal mistral-lsp--file buffer-file-name)
    (mistral-lsp-clear)
    (cond ((mistral-lsp--server) (mistral-lsp--reopen))
          (buffer-file-name (mistral-lsp--start)))
    (setq mistral-lsp--file buffer-file-name)))

(defun mistral-lsp-trigger ()
  "Ask for ghost text at point."
  (interactive)
  (if (mistral-lsp--server)
      (mistral-lsp--ask mistral-lsp--invoked)
    (user-error "No server: `M-x eglot' starts it")))

(defun mistral-lsp--accept (part rest)
  "Write PART of REST; what is replaced goes with the last part."
  (undo-boundary)
  (mistral-lsp--hide)
  (let ((end (mistral-lsp--answer-end mistral-lsp--shown)))
    (when (equal part rest)
      (delete-region (point) end))
    ;; The end must not move behind what is written before it.
    (insert part)
    (mistral-lsp--notify :mistralLsp/didAccept (list :acceptedLength (length part)))))

(defun mistral-lsp-accept ()
  "Write all of the ghost text."
  (interactive)
  (when-let ((rest (mistral-lsp--rest)))
    (mistral-lsp--accept rest rest)))

(defun mistral-lsp-accept-word ()
  "Write the next word of the ghost text."
  (interactive)
  (when-let ((rest (mistral-lsp--rest)))
    (string-match "\\`[[:space:]\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_[:space:]\n]+\\|\\'\\)" rest)
    (mistral-lsp--accept (match-string 0 rest) rest)))

(defun mistral-lsp-accept-line ()
  "Write the line of the ghost text; at a line's end, the next one."
  (interactive)
  (when-let ((rest (mistral-lsp--rest)))
    (string-match "\\`\n*[^\n]*" rest)
    (mistral-lsp--accept (match-string 0 rest) rest)))

(defun mistral-lsp-dismiss ()
  "Take the ghost text away; the same is not offered there again."
  (interactive)
  (mistral-lsp--notify :mistralLsp/didReject (eglot--TextDocumentPositionParams))
  (mistral-lsp-clear))

(defun mistral-lsp-status ()
  "Show what the server says of itself."
  (interactive)
  (let ((report (jsonrpc-request (mistral-lsp--server) :workspace/executeCommand
                                 '(:command "mistralLsp.status"))))
    (message "mistral-lsp is %s: %s" (plist-get report :state) (plist-get report :message))))

(defun mistral-lsp--key (command)
  "COMMAND while ghost text is shown; else the key means what it always meant."
  `(menu-item "" ,command :filter ,(lambda (binding) (and (mistral-lsp--rest) binding))))

(defvar mistral-lsp-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") (mistral-lsp--key #'mistral-lsp-accept))
    (define-key map (kbd "M-f") (mistral-lsp--key #'mistral-lsp-accept-word))
    (define-key map (kbd "C-e") (mistral-lsp--key #'mistral-lsp-accept-line))
    (define-key map (kbd "C-g") (mistral-lsp--key #'mistral-lsp-dismiss))
    (define-key map (kbd "M-\\") #'mistral-lsp-trigger)
    map)
  "Keys; all but the last one act only while ghost text is shown.")

;;;###autoload
(define-minor-mode mistral-lsp-mode
  "Ghost text from the buffer's eglot server."
  :lighter " ghost"
  (setq mistral-lsp--text (buffer-chars-modified-tick)
        mistral-lsp--file buffer-file-name)
  (if mistral-lsp-mode
      (progn
        (add-hook 'post-command-hook #'mistral-lsp--after-command nil t)
        (add-hook 'after-set-visited-file-name-hook #'mistral-lsp--renamed nil t)
        ;; Before eglot lets go of the buffer.
        (add-hook 'change-major-mode-hook #'mistral-lsp--close -90 t))
    (remove-hook 'post-command-hook #'mistral-lsp--after-command t)
    (remove-hook 'after-set-visited-file-name-hook #'mistral-lsp--renamed t)
    (remove-hook 'change-major-mode-hook #'mistral-lsp--close t)
    (mistral-lsp-clear)))

;;;###autoload
(defun mistral-lsp-setup (mode)
  "Run the server by eglot in buffers of the major MODE, with ghost text."
  (add-to-list 'eglot-server-programs (cons mode mistral-lsp-command))
  (let ((hook (intern (format "%s-hook" mode))))
    (add-hook hook #'eglot-ensure)
    (add-hook hook #'mistral-lsp-mode)))

(provide 'mistral-lsp)
;;; mistral-lsp.el ends here
