{{- define "millrace.name" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 38 | trimSuffix "-" -}}
{{- end -}}

{{- define "millrace.selector" -}}
app.kubernetes.io/name: millrace
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "millrace.image" -}}
{{- $image := .image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .root.Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{/* The pools of workers, each with all that it does not say itself. */}}
{{- define "millrace.pools" -}}
{{- $pools := dict -}}
{{- range $name, $own := .Values.workerPools -}}
{{- $_ := set $pools $name (mustMergeOverwrite (deepCopy $.Values.worker) (default dict $own)) -}}
{{- end -}}
{{- toYaml $pools -}}
{{- end -}}

{{- define "millrace.fromSecret" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.secret.name }}
      key: {{ .key }}
{{- end -}}

{{/* The settings that all processes have. */}}
{{- define "millrace.env" -}}
{{- $keys := .Values.secret.keys -}}
{{ include "millrace.fromSecret" (dict "root" . "variable" "DATABASE_URL" "key" $keys.databaseUrl) }}
{{- if $keys.amqpUrl }}
{{ include "millrace.fromSecret" (dict "root" . "variable" "AMQP_URL" "key" $keys.amqpUrl) }}
{{- end }}
- name: SHUTDOWN_GRACE_MS
  value: {{ int .Values.settings.shutdownGraceMs | quote }}
- name: RETENTION_DAYS
  value: {{ int .Values.settings.retentionDays | quote }}
- name: LOG_LEVEL
  value: {{ .Values.settings.logLevel | quote }}
- name: LOG_FORMAT
  value: json
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What each pod has: nothing of root's, no rights at the cluster. */}}
{{- define "millrace.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "millrace.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Where pods of a kind run. */}}
{{- define "millrace.place" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "millrace.selector" . | nindent 8 }}
{{- with .kind.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .kind.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .kind.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "millrace.graceSeconds" -}}
{{- div (add (int .Values.settings.shutdownGraceMs) 999) 1000 -}}
{{- end -}}
